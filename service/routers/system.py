"""The service's health."""

from fastapi import APIRouter
from pydantic import BaseModel

from service import openapi
from service.database import DatabaseDep

router = APIRouter(tags=["system"])


class Health(BaseModel):
    """That all is well."""

    status: str = "ok"


@router.get("/healthz", summary="Liveness", responses=openapi.LIVENESS)
async def get_liveness() -> Health:
    """Answers 200 as long as the process lives, whatever the database does."""
    return Health()


@router.get("/readyz", summary="Readiness", responses=openapi.READINESS)
async def get_readiness(database: DatabaseDep) -> Health:
    """Answers 200 when the database answers, else 503."""
    await database.ping()
    return Health()
