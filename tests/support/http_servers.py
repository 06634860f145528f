"""HTTP servers of others, which the service or its clients talk to."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread


class QuietHandler(BaseHTTPRequestHandler):
    """Does not log requests."""

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def http_server(handler: type[QuietHandler]) -> Iterator[int]:
    """The port of a server on the loopback interface, which runs in threads of its own."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()
