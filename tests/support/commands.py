"""The `stuff` command in the process of the tests, where a process of its own proves no more."""

import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import CompletedProcess
from unittest.mock import patch

from typer.testing import CliRunner

from service import cli


def stuff_here(*arguments: str, sent: str = "", **environment: str) -> CompletedProcess[str]:
    """As `stuff` of `tests.support.serving`; an unforeseen exception is raised."""
    status: object = 0
    with (
        patch.dict(os.environ),  # where `serve` puts its options
        unchanged_logging(),
        CliRunner().isolation(sent, environment) as (stdout, stderr, _),
    ):
        try:
            cli.main(arguments)
        except SystemExit as end:
            status = end.code
        sys.stdout.flush()
        sys.stderr.flush()
        output, errors = stdout.getvalue().decode(), stderr.getvalue().decode()
    assert isinstance(status, int)
    return CompletedProcess(arguments, status, output, errors)


@contextmanager
def unchanged_logging() -> Iterator[None]:
    """`serve` configures the logging of its process, which would outlive the command."""
    root = logging.getLogger()
    loggers = [root, *map(logging.getLogger, ("service", "uvicorn"))]
    levels = [logger.level for logger in loggers]
    handlers = list(root.handlers)
    with (
        patch.object(sys, "excepthook", sys.excepthook),
        patch.object(threading, "excepthook", threading.excepthook),
    ):
        try:
            yield
        finally:
            logging.captureWarnings(False)
            root.handlers[:] = handlers
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
