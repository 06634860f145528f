"""The `stuff` command in the process of the tests, where a process of its own proves no more."""

import os
import sys
from subprocess import CompletedProcess
from unittest.mock import patch

from typer.testing import CliRunner

from service import cli


def stuff_here(*arguments: str, sent: str = "", **environment: str) -> CompletedProcess[str]:
    """As `stuff` of `tests.support.serving`; an unforeseen exception is raised."""
    status: object = 0
    with (
        patch.dict(os.environ),  # where `serve` puts its options
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
