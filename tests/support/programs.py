"""Programs that tests need, and that not every machine has."""

import os
import shutil

import pytest


def find_program(*names: str, package: str) -> str:
    """Where the first of these programs is. If there is none, the test is skipped, or fails in CI.
    `package` is the package of Debian that has it."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    for name in names:
        if found := shutil.which(name, path=path):
            return found
    reason = f"there is no {names[0]} (Debian: apt-get install {package})"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
