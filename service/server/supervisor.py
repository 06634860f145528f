"""Worker processes, and the declarations of collections that they read."""

import logging
import os
import shutil
import socket
import tempfile
from pathlib import Path

import uvicorn
from uvicorn.supervisors import Multiprocess

from service.declarations import read_declarations
from service.errors import ConfigurationError
from service.settings import Settings

log = logging.getLogger(__name__)


class DeclaredCopy:
    """A copy of the file of collections, and of the schemas beside it, as they were when they last
    had no fault.

    Workers read the copy. The operator may be in the middle of a change when one of them starts,
    e.g. in place of one that has crashed, and would end at a fault.
    """

    def __init__(self, settings: Settings, folder: Path) -> None:
        """Makes the copy in this folder, and tells worker processes of it. Raises
        `ConfigurationError`."""
        self._settings = settings
        self._folder = folder
        self._current = folder / "current"  # a link to the last copy
        self.renew()
        if settings.collections is not None:
            os.environ["STUFF_COLLECTIONS"] = str(self._current / settings.collections.name)

    def renew(self) -> None:
        """Copy the files again. Raises `ConfigurationError`, and keeps the last copy, if they have
        a fault."""
        file = self._settings.collections
        if file is None:
            return
        names = {file.name}
        for declaration in read_declarations(self._settings).values():
            if declaration.schema is not None:
                names.update(declaration.schema.documents)
        copy = Path(tempfile.mkdtemp(dir=self._folder))
        try:
            for name in names:
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file.parent / name, copy / name)
        except OSError as error:
            detail = f"{error.filename} cannot be read: {error.strerror}."
            raise ConfigurationError("collections", detail) from None
        # The copy is checked, too: workers will read exactly this.
        read_declarations(self._settings.model_copy(update={"collections": copy / file.name}))
        link = copy / "link"
        link.symlink_to(copy, target_is_directory=True)
        link.replace(self._current)


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
