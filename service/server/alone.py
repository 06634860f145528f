"""One process that serves without workers, and reads the declarations again at SIGHUP."""

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
from types import FrameType

import uvicorn

from service.declarations import Declarations, read_declarations
from service.errors import ConfigurationError
from service.settings import Settings

log = logging.getLogger(__name__)


class Hangups:
    """What SIGHUP asks for: to read the declarations again, or, when the terminal in which the
    service was started has been closed, to stop."""

    def __init__(self) -> None:
        self._came = threading.Event()
        self._has_terminal = _is_terminal()
        signal.signal(signal.SIGHUP, lambda *_: self._came.set())

    def take(self) -> bool:
        """Whether one has come since this was asked."""
        came = self._came.is_set()
        self._came.clear()
        return came

    def is_of_terminal(self) -> bool:
        return self._has_terminal and not _is_terminal()


class Server(uvicorn.Server):
    """Serves until a signal tells it to stop, or until SIGHUP, when the declarations have no fault.

    Then it stops as on SIGTERM: what is under way is finished, and feeds are closed, so that their
    followers come back. The listener stays open, so that connections wait for the next server.
    """

    def __init__(
        self, config: uvicorn.Config, listener: socket.socket, hangups: Hangups, settings: Settings
    ) -> None:
        super().__init__(config)
        self._listener = listener
        self._hangups = hangups
        self._settings = settings
        self.renewed: Declarations | None = None
        """What the next server serves, once this one has stopped; None if there is none."""

    async def on_tick(self, counter: int) -> bool:
        if self._hangups.take() and not self.should_exit:
            await self._renew()
        return await super().on_tick(counter)

    async def _renew(self) -> None:
        if self._hangups.is_of_terminal():
            signal.raise_signal(signal.SIGTERM)
            return
        try:
            renewed = await asyncio.to_thread(read_declarations, self._settings)
        except ConfigurationError as error:
            log.error("The service is not restarted, and serves what it did before. %s", error)
            return
        if not self.should_exit:
            log.info("Received SIGHUP, restarting the service in this process.")
            self.renewed = renewed
            signal.raise_signal(signal.SIGTERM)  # for everything that ends at a stop

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        if self.renewed is not None and not self.should_exit:
            self.should_exit = True  # raised above, and not to be raised again at the end
        else:
            super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self.renewed is None:
            self._listener.close()
        await super().shutdown(sockets)


def _is_terminal() -> bool:
    return sys.__stdin__ is not None and os.isatty(0)
