"""How little a request can cost: an empty FastAPI route, and a bare ASGI application.

uvicorn bench.ceilings:empty_route
uvicorn bench.ceilings:bare_asgi
"""

from typing import Any

from fastapi import FastAPI, Response
from starlette.types import Receive, Scope, Send

BODY = b'{"_id":"1","name":"Ada"}'

empty_route = FastAPI()


@empty_route.get("/stuff/{id}")
async def get_stuff(id: str) -> Any:  # noqa: ARG001 (a parameter as the store has one)
    return Response(BODY, media_type="application/json")


@empty_route.put("/stuff/{id}")
async def put_stuff(id: str) -> Any:  # noqa: ARG001
    return Response()


async def bare_asgi(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers everything with a constant."""
    if scope["type"] == "http":
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(BODY))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": BODY})
    else:
        message = await receive()
        while message["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
            message = await receive()
        await send({"type": "lifespan.shutdown.complete"})
