"""HTTP as bytes on a connection, for what no client library sends."""

import asyncio
import socket
from urllib.parse import urlsplit

import httpx

from tests.support.patience import TIMEOUT


class Connection:
    """Bytes to the server of a client, and from it. Little fits into the connection's buffers, so
    the server soon notices when nobody reads."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        target = urlsplit(str(client.base_url))
        self._address = target.hostname, target.port
        self._socket = socket.socket()
        self._received = b""

    async def __aenter__(self) -> "Connection":
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        self._socket.setblocking(False)
        await asyncio.get_running_loop().sock_connect(self._socket, self._address)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._socket.close()

    async def send(self, data: bytes) -> None:
        async with asyncio.timeout(TIMEOUT):
            await asyncio.get_running_loop().sock_sendall(self._socket, data)

    async def keep_sending(self, data: bytes) -> None:
        """Send the same again and again, until the server resets the connection."""
        async with asyncio.timeout(TIMEOUT):
            while True:
                try:
                    await self.send(data)
                except ConnectionError:
                    return
                await asyncio.sleep(0.01)

    async def read(self, size: int = 65_536) -> bytes:
        """What comes next; nothing when the server has closed the connection."""
        if self._received:
            received, self._received = self._received[:size], self._received[size:]
            return received
        async with asyncio.timeout(TIMEOUT):
            return await asyncio.get_running_loop().sock_recv(self._socket, size)

    async def read_all(self) -> bytes:
        """What comes until the server closes the connection."""
        received = b""
        while part := await self.read():
            received += part
        return received

    async def request(self, data: bytes) -> httpx.Response:
        """Send a request, and read its response."""
        await self.send(data)
        return await self.response()

    async def response(self) -> httpx.Response:
        """The next response. Its body has the length that it declares."""
        received = b""
        while b"\r\n\r\n" not in received:
            received += await self._next_part(received)
        head, _, content = received.partition(b"\r\n\r\n")
        status, *lines = head.decode().split("\r\n")
        headers = httpx.Headers([_field(line) for line in lines])
        length = int(headers["content-length"])
        while len(content) < length:
            content += await self._next_part(content)
        content, self._received = content[:length], content[length:]
        return httpx.Response(int(status.split()[1]), headers=headers, content=content)

    async def _next_part(self, received: bytes) -> bytes:
        part = await self.read()
        assert part, f"The server has closed the connection after {received!r}"
        return part


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(": ")
    return name, value
