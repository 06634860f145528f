"""A route for hot operations, which skips FastAPI's generic machinery."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps
from inspect import iscoroutinefunction, signature, unwrap
from typing import Any, ParamSpec, TypeVar

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
_IMMEDIATE = "__immediate__"


def immediate(function: Callable[Parameters, Result]) -> Callable[Parameters, Awaitable[Result]]:
    """Declare a dependency that waits for nothing: a plain function, and a `DirectRoute` calls it
    as one. FastAPI would call it in a thread, and gets a coroutine function."""

    @wraps(function)
    async def dependency(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        return function(*args, **kwargs)

    setattr(dependency, _IMMEDIATE, True)
    return dependency


class DirectRoute(APIRoute):
    """Calls the dependencies of its endpoint, and the endpoint, one after the other.

    What to call is read once, at start-up, from the declarations that FastAPI itself uses, so that
    everything is in the OpenAPI document as usual and no dependency can be skipped. Dependencies
    and endpoint must be coroutine functions that ask for nothing but the request, path parameters,
    query parameters and other dependencies; otherwise creating the route raises `TypeError`.

    Requests that have a query, or need one, are left to FastAPI, which validates it.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        fastapi_app = self.app
        calls = _calls(self.dependant)
        self.needs_query = needs_query = any(call.needs_query for call in calls)
        self.respond = respond = _Plan(calls).run
        """Returns the response to a request without a query, if the route needs none."""

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["query_string"] or needs_query:
                await fastapi_app(scope, receive, send)
                return
            response = await respond(Request(scope, receive, send))
            await response(scope, receive, send)

        self.app = app


@dataclass(frozen=True, slots=True)
class _Call:
    """A function, and where each of its arguments comes from."""

    function: Callable[..., Any]
    waits: bool
    """Whether it returns what must be awaited."""
    path_params: list[str]
    request_params: list[str]
    dependencies: list[tuple[str, int]]  # the index of the call whose result it is
    defaults: dict[str, Any]  # of the query parameters
    needs_query: bool


class _Plan:
    """Calls in their order. The values of a request are in one list: the request, the path
    parameters, the defaults, the results. What each call gets are places in that list."""

    def __init__(self, calls: list[_Call]) -> None:
        self._path_params = sorted({name for call in calls for name in call.path_params})
        self._defaults: list[Any] = []
        first_default = 1 + len(self._path_params)
        first_result = first_default + sum(len(call.defaults) for call in calls)
        self._steps: list[tuple[Callable[..., Any], list[int], bool]] = []
        for call in calls:
            places = {name: 1 + self._path_params.index(name) for name in call.path_params}
            places |= dict.fromkeys(call.request_params, 0)
            places |= {name: first_result + index for name, index in call.dependencies}
            for name, value in call.defaults.items():
                places[name] = first_default + len(self._defaults)
                self._defaults.append(value)
            parameters = signature(call.function).parameters
            self._steps.append((call.function, [places[name] for name in parameters], call.waits))

    async def run(self, request: Request) -> Response:
        """The result of the last call, which is that of the endpoint."""
        path_params = request.scope["path_params"]
        values = [request, *[path_params[name] for name in self._path_params], *self._defaults]
        value_at = values.__getitem__
        for function, places, waits in self._steps:
            result = function(*map(value_at, places))
            values.append(await result if waits else result)
        response: Response = values[-1]
        return response


def _calls(endpoint: Dependant) -> list[_Call]:
    """The calls that answer a request, in their order; the last one is that of the endpoint."""
    calls: list[_Call] = []
    positions: dict[Callable[..., Any], int] = {}

    def add(dependant: Dependant) -> int:
        function = dependant.call
        assert function is not None
        if dependant.use_cache and function in positions:
            return positions[function]
        _check(dependant)
        dependencies = [(child.name, add(child)) for child in dependant.dependencies]
        is_immediate = hasattr(function, _IMMEDIATE)
        calls.append(
            _Call(
                unwrap(function) if is_immediate else function,
                not is_immediate,
                [field.name for field in dependant.path_params],
                [
                    name
                    for name in (dependant.request_param_name, dependant.http_connection_param_name)
                    if name is not None
                ],
                # Dependencies without a name are called only for their checks.
                [(name, position) for name, position in dependencies if name is not None],
                {field.name: field.get_default() for field in dependant.query_params},
                any(field.field_info.is_required() for field in dependant.query_params),
            )
        )
        positions[function] = len(calls) - 1
        return positions[function]

    add(endpoint)
    return calls


def _check(dependant: Dependant) -> None:
    unsupported = [
        *dependant.header_params,
        *dependant.cookie_params,
        *dependant.body_params,
        *(
            field
            for field in dependant.path_params
            if field.field_info.annotation is not str
            or field.field_info.metadata
            or field.alias != field.name
        ),
        *filter(
            None,
            [
                dependant.websocket_param_name,
                dependant.response_param_name,
                dependant.background_tasks_param_name,
                dependant.security_scopes_param_name,
            ],
        ),
    ]
    if unsupported or not iscoroutinefunction(dependant.call):
        raise TypeError(f"A DirectRoute cannot call {dependant.call}: {unsupported}")
