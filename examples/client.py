"""A client of the store: `python examples/client.py [http://127.0.0.1:8000]`."""

import asyncio
import sys

import httpx


async def main(base_url: str) -> None:
    async with httpx.AsyncClient(base_url=base_url) as store:
        put = await store.put("/stuff/ada", json={"name": "Ada Lovelace"})
        print("PUT", put.status_code)
        put = await store.put("/stuff/ada", json={"name": "Ada Lovelace", "born": 1815})
        print("PUT", put.status_code)
        get = await store.get("/stuff/ada")
        print("GET", get.status_code, get.json())
        post = await store.post("/stuff", json={"name": "Charles Babbage"})
        print("POST", post.status_code)
        for path in ("/stuff/ada", post.headers["location"]):
            delete = await store.delete(path)
            print("DELETE", delete.status_code)
        get = await store.get("/stuff/ada")
        print("GET", get.status_code, get.json()["title"])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000"))
