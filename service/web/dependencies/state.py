"""Dependencies that live as long as the application: the lifespan puts them into `app.state`."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Depends, Request

from service.mongo.database import Database
from service.settings import Settings
from service.store.budget import Budget
from service.store.collection import Collection
from service.store.commits import Commits
from service.store.idempotency import Records
from service.web.access import COLLECTION
from service.web.direct import immediate
from service.web.static_files import StaticFiles


def _of_state(name: str) -> Callable[[Request], Awaitable[Any]]:
    @immediate
    def get(request: Request) -> Any:
        return getattr(request.scope["app"].state, name)

    return get


@immediate
def get_collection(request: Request) -> Collection:
    """The collection that the path names."""
    scope = request.scope
    collection: Collection = scope["app"].state.collections[scope[COLLECTION]]
    return collection


BudgetDep = Annotated[Budget, Depends(_of_state("budget"))]
CollectionDep = Annotated[Collection, Depends(get_collection)]
CommitsDep = Annotated[Commits, Depends(_of_state("commits"))]
RecordsDep = Annotated[Records, Depends(_of_state("records"))]
DatabaseDep = Annotated[Database, Depends(_of_state("database"))]
SettingsDep = Annotated[Settings, Depends(_of_state("settings"))]
AssetsDep = Annotated[StaticFiles, Depends(_of_state("assets"))]
OutlinesDep = Annotated[bytes, Depends(_of_state("outlines"))]
