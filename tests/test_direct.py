"""The route of hot operations does what FastAPI's own does."""

from threading import get_ident
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request, Response
from fastapi.exceptions import HTTPException
from httpx import ASGITransport, AsyncClient

from service.web.direct import DirectRoute, immediate


async def get_name(name: str) -> str:
    return name


async def get_greeting(request: Request, name: Annotated[str, Depends(get_name)]) -> str:
    return f"{request.headers['greeting']} {name}"


async def authorize(request: Request) -> None:
    if "key" not in request.headers:
        raise HTTPException(401)


def client(router: APIRouter) -> AsyncClient:
    return AsyncClient(transport=ASGITransport(FastAPI(routes=router.routes)), base_url="http://x")


async def test_dependencies_are_called_in_order_and_none_is_skipped() -> None:
    calls: list[str] = []

    async def once(request: Request) -> str:
        calls.append(request.method)
        return request.method

    async def twice(first: Annotated[str, Depends(once)]) -> str:
        return first.lower()

    router = APIRouter(route_class=DirectRoute, dependencies=[Depends(authorize)])

    @router.get("/{name}")
    async def greet(
        name: str,
        greeting: Annotated[str, Depends(get_greeting)],
        first: Annotated[str, Depends(once)],
        second: Annotated[str, Depends(twice)],
        loud: bool = False,
        times: Annotated[int, Query(ge=1)] = 1,
    ) -> Response:
        text = f"{greeting} {first} {second} " * times
        return Response(text.upper() if loud else text)

    async with client(router) as http:
        headers = {"greeting": "Hello", "key": "k"}
        assert (await http.get("/Ada", headers=headers)).text == "Hello Ada GET get "
        assert calls == ["GET"]
        answer = await http.get("/Ada?loud=true&times=2", headers=headers)
        assert answer.text == "HELLO ADA GET GET " * 2
        assert (await http.get("/Ada?times=0", headers=headers)).status_code == 422
        for path in ("/Ada", "/Ada?loud=true"):
            assert (await http.get(path, headers={"greeting": "Hello"})).status_code == 401


async def test_immediate_dependencies_are_called_in_the_event_loop_with_and_without_a_query() -> (
    None
):
    threads: list[int] = []

    @immediate
    def get_thread(request: Request, loud: bool = False) -> str:
        threads.append(get_ident())
        return f"{request.method} {loud}"

    router = APIRouter(route_class=DirectRoute)

    @router.get("/{name}")
    async def greet(name: str, text: Annotated[str, Depends(get_thread)]) -> Response:
        return Response(f"{name} {text}")

    async with client(router) as http:
        assert (await http.get("/Ada")).text == "Ada GET False"
        assert (await http.get("/Ada?loud=true")).text == "Ada GET True"
    assert threads == [get_ident()] * 2


def sync_dependency() -> int:
    return 1


async def header_dependency(key: Annotated[str, Header()]) -> str:
    return key


async def body_dependency(body: dict[str, Any]) -> None: ...


async def number_dependency(number: int) -> None: ...


@pytest.mark.parametrize(
    "dependency",
    [
        sync_dependency,
        header_dependency,
        body_dependency,
        number_dependency,
    ],
)
def test_dependencies_it_cannot_call_are_refused_at_startup(dependency: Any) -> None:
    router = APIRouter(route_class=DirectRoute)

    async def endpoint() -> Response:
        return Response()

    with pytest.raises(TypeError, match="dependency"):
        router.get("/{number}", dependencies=[Depends(dependency)])(endpoint)
