"""Where tests keep their files."""

import os
import shutil
from pathlib import Path

MEMORY = Path("/dev/shm")
ENOUGH = 4 * 1024**3  # bytes


def in_memory() -> Path | None:
    """A directory in memory, if this machine has one with enough room.

    The engine flushes each write to the disk. That takes most of the time of the tests, and proves
    nothing: a killed process loses what it has not written, on a disk and in memory alike.
    """
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH:
        return MEMORY
    return None
