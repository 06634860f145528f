"""Worker processes, and the declarations of collections that they read."""

import logging
import os
import shutil
import socket
from pathlib import Path

import uvicorn
from uvicorn.supervisors import Multiprocess

from service.declarations import read_declarations
from service.errors import ConfigurationError
from service.settings import Settings

log = logging.getLogger(__name__)


class DeclaredCopy:
    """A copy of the file of collections, as it was when it last had no fault.

    Workers read the copy. The operator may be in the middle of a change when one of them starts,
    e.g. in place of one that has crashed, and would end at a fault.
    """

    def __init__(self, settings: Settings, folder: Path) -> None:
        """Makes the copy in this folder, and tells worker processes of it. Raises
        `ConfigurationError`."""
        self._settings = settings
        self._folder = folder
        self.renew()
        if settings.collections is not None:
            os.environ["STUFF_COLLECTIONS"] = str(folder / settings.collections.name)

    def renew(self) -> None:
        """Copy the file again. Raises `ConfigurationError`, and keeps the last copy, if the file
        has a fault."""
        file = self._settings.collections
        if file is None:
            return
        candidate = self._folder / "candidate" / file.name  # faults are named by this name
        candidate.parent.mkdir(exist_ok=True)
        try:
            shutil.copyfile(file, candidate)
        except OSError as error:
            detail = f"{file} cannot be read: {error.strerror}."
            raise ConfigurationError("collections", detail) from None
        # The copy is checked, not the file: workers will read exactly this.
        read_declarations(self._settings.model_copy(update={"collections": candidate}))
        candidate.replace(self._folder / file.name)


class Supervisor(Multiprocess):
    """Starts the worker processes, and at SIGHUP replaces them by others with new declarations.
    Faulty ones leave those that run as they are."""

    def __init__(
        self, declared: DeclaredCopy, config: uvicorn.Config, sockets: list[socket.socket]
    ) -> None:
        super().__init__(config, sockets)
        self._declared = declared

    def handle_hup(self) -> None:
        try:
            self._declared.renew()
        except ConfigurationError as error:
            log.error("The workers are not replaced, and serve what they did before. %s", error)
        else:
            super().handle_hup()
