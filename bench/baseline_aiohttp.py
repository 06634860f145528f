"""The forty lines that Stuff began as: two handlers on aiohttp and Motor.

    python -m bench.baseline_aiohttp PORT MONGODB_URI DATABASE COLLECTION

Acknowledged means what the URI says: by default, that the primary has the write in memory.
"""

import sys
from typing import Any

from aiohttp import web
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection

COLLECTION = web.AppKey("collection", AsyncIOMotorCollection[dict[str, Any]])


async def get_stuff(request: web.Request) -> web.Response:
    document = await request.app[COLLECTION].find_one({"_id": request.match_info["id"]})
    if document is None:
        raise web.HTTPNotFound
    return web.json_response(document)


async def put_stuff(request: web.Request) -> web.Response:
    id = request.match_info["id"]
    body = await request.json()
    result = await request.app[COLLECTION].replace_one({"_id": id}, body, upsert=True)
    return web.Response(status=200 if result.matched_count else 201)


async def make_app(uri: str, database: str, collection: str) -> web.Application:
    app = web.Application(client_max_size=32 * 1024 * 1024)
    client: AsyncIOMotorClient[dict[str, Any]] = AsyncIOMotorClient(uri)
    app[COLLECTION] = client[database][collection]
    app.router.add_get("/stuff/{id}", get_stuff)
    app.router.add_put("/stuff/{id}", put_stuff)
    return app


if __name__ == "__main__":
    _, port, uri, database, collection = sys.argv
    web.run_app(
        make_app(uri, database, collection),
        host="127.0.0.1",
        port=int(port),
        access_log=None,
        print=None,
    )
