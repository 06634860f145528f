"""What the page at `/` consists of."""

import re

from httpx import AsyncClient

from service.routers.assets import STATIC

MODULES = {f"assets/page/{path.name}" for path in (STATIC / "page").glob("*.js")}


async def test_all_modules_of_the_page_are_asked_for_at_once(client: AsyncClient) -> None:
    """A module that only another one names would wait until that one has come."""
    page = (await client.get("/")).text
    named = re.findall(r'(?:modulepreload" href|module" src)="([^"]+)"', page)
    assert sorted(named) == sorted(MODULES)
    for path in named:
        response = await client.get(f"/{path}")
        assert response.headers["content-type"].startswith("text/javascript")


def test_every_module_of_the_page_is_used() -> None:
    sources = [path.read_text() for path in (STATIC / "page").glob("*.js")]
    imported = {name for source in sources for name in re.findall(r"from '\./(.+?)'", source)}
    assert {f"assets/page/{name}" for name in imported | {"main.js"}} == MODULES
