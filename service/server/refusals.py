"""Problems that the server answers itself, because the application has no whole request."""

from collections.abc import Iterable

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from service.errors import StuffError
from service.observability import metrics
from service.observability.request_ids import REQUEST_ID, make_request_id
from service.server.dates import date_field
from service.web.headers import DEFAULTS
from service.web.problems import MEDIA_TYPE, problem_body


def refusal(error: StuffError, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The error as a whole response, which closes the connection. `headers` are those of the
    request, as far as they have arrived."""
    metrics.problems.labels(error.slug).inc()
    id = make_request_id(headers)
    content = orjson.dumps(problem_body(error, b"") | {"request_id": id.decode()})
    fields = [
        date_field(),
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(content)).encode()),
        *((name.encode(), value.encode()) for name, value in error.headers.items()),
        *([] if "Connection" in error.headers else [(b"connection", b"close")]),
        (REQUEST_ID, id),
        *DEFAULTS,
    ]
    lines = [STATUS_LINE[error.status], *(b"%s: %s\r\n" % field for field in fields)]
    return b"".join(lines) + b"\r\n" + content
