"""What the page at `/` consists of."""

import re

from httpx import AsyncClient

from service.routers.assets import STATIC

MAX_BYTES = 48 * 1024
"""Compressed: one second over a slow mobile network (400 kbit/s)."""
MODULES = {f"assets/page/{path.name}" for path in (STATIC / "page").glob("*.js")}


async def test_all_modules_of_the_page_are_asked_for_at_once(client: AsyncClient) -> None:
    """A module that only another one names would wait until that one has come."""
    page = (await client.get("/")).text
    named = re.findall(r'(?:modulepreload" href|module" src)="([^"]+)"', page)
    assert sorted(named) == sorted(MODULES)
    for path in named:
        response = await client.get(f"/{path}")
        assert response.headers["content-type"].startswith("text/javascript")


async def test_all_of_the_page_comes_in_a_second_over_a_slow_network(client: AsyncClient) -> None:
    paths = ["", "assets/page/page.css", "assets/favicon.svg", "collections.json", *MODULES]
    sizes = {}
    for path in paths:
        response = await client.get(f"/{path}", headers={"Accept-Encoding": "gzip"})
        sizes[path] = int(response.headers["content-length"])
    assert sum(sizes.values()) < MAX_BYTES, sizes


def test_every_module_of_the_page_is_used() -> None:
    sources = [path.read_text() for path in (STATIC / "page").glob("*.js")]
    imported = {name for source in sources for name in re.findall(r"from '\./(.+?)'", source)}
    assert {f"assets/page/{name}" for name in imported | {"main.js"}} == MODULES
