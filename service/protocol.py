"""HTTP/1.1 on a connection, by uvicorn, whose addresses of at most 64 KiB may be longer here."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_URL_BYTES = 256 * 1024
"""Room for a filter of 64 KiB, each byte of it percent-encoded."""


class LongUrlProtocol(HttpToolsProtocol):
    """The part of an address behind the `?`, which is just copied, may be long."""

    def on_url(self, url: bytes) -> None:
        if len(self.url) + len(url) > MAX_URL_BYTES:
            raise ValueError("The address is too long.")  # which uvicorn answers by 400
        super().on_url(url)

    def on_headers_complete(self) -> None:
        self.url, _, query = self.url.partition(b"?")
        super().on_headers_complete()  # starts a task, which has not run yet
        self.scope["query_string"] = query.partition(b"#")[0]
