"""What every response carries, whoever made it: the id of its request, and what browsers may do."""

import re
import uuid
from contextvars import ContextVar

from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUEST_ID = b"x-request-id"
_VALID = re.compile(rb"[\x21-\x7e]{1,128}")

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Of the request that is being answered, for logs and problems."""

# What is no page of ours is no page: a browser must neither guess its type nor show it in a frame.
DEFAULTS = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)


class Envelope:
    """Gives each request an id, its own if it has one, and adds headers to the response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sent = next((value for name, value in scope["headers"] if name == REQUEST_ID), b"")
        id = sent if _VALID.fullmatch(sent) else uuid.uuid4().hex.encode()
        request_id.set(id.decode())

        async def enveloped_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"]
                names = {name for name, _ in headers}
                headers.extend(pair for pair in DEFAULTS if pair[0] not in names)
                headers.append((REQUEST_ID, id))
            await send(message)

        await self._app(scope, receive, enveloped_send)
