"""`/healthz` and `/readyz`: whether the process is alive, and whether the database answers."""

from fastapi import APIRouter
from pydantic import BaseModel

from service.errors import DatabaseUnavailable, raises
from service.openapi import operation_id
from service.openapi.responses import ok
from service.security import public
from service.web.dependencies import DatabaseDep

router = APIRouter(tags=["system"], generate_unique_id_function=operation_id)


class Health(BaseModel):
    """The service is healthy."""

    status: str = "ok"


@router.get("/healthz", summary="Liveness", responses=ok(200, "The process is alive."))
@public
async def get_liveness() -> Health:
    """Returns 200 while the process is alive, whatever the state of the database."""
    return Health()


@router.get("/readyz", summary="Readiness", responses=ok(200, "The database answers."))
@public
@raises(DatabaseUnavailable)
async def get_readiness(database: DatabaseDep) -> Health:
    """Returns 200 if the database answers, else 503."""
    await database.ping()
    return Health()


for probe, path in ((get_liveness, "/healthz"), (get_readiness, "/readyz")):
    router.add_api_route(path, probe, methods=["HEAD"], include_in_schema=False)
