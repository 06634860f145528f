"""`/metrics`: the metrics, for Prometheus."""

from fastapi import APIRouter, Response

from service.observability import metrics
from service.security import reads

router = APIRouter(include_in_schema=False)


@router.get("/metrics")
@reads
async def get_metrics() -> Response:
    """Returns the metrics of all workers in the format of Prometheus."""
    return Response(metrics.exposition(), media_type=metrics.CONTENT_TYPE)
