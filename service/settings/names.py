"""Find variables and secrets that look like settings, but are not."""

import os
import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path

from service.settings.settings import PREFIX, SECRETS_DIR, Settings

CLIENTS = ("STUFF_URL", "STUFF_KEY")
"""Read by the commands that talk to a server."""

SERVICE_LINK = re.compile(r"STUFF_(SERVICE_|PORT_\d+_)")
"""What Kubernetes sets in each container if there is a Service named stuff.

https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables
"""


def unknown_settings() -> Iterator[str]:
    """A sentence on each name that is not a setting's, with the nearest name of one."""
    known = [PREFIX + name.upper() for name in Settings.model_fields]
    for name in _unknown(os.environ, known):
        yield f"{name} is not a setting{_nearest(name, known)}"
    if SECRETS_DIR.is_dir():
        if not os.access(SECRETS_DIR, os.R_OK | os.X_OK):
            yield f"{SECRETS_DIR} cannot be read, so that no setting comes from there."
            return
        for name in _unknown(_names(SECRETS_DIR), known):
            yield f"The secret {SECRETS_DIR / name} is not a setting{_nearest(name, known)}"


def _names(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


def _unknown(names: Iterable[str], known: Iterable[str]) -> list[str]:
    expected = {*known, *CLIENTS}
    return sorted(
        name
        for name in names
        if name.upper().startswith(PREFIX)
        and name.upper() not in expected
        and not SERVICE_LINK.match(name.upper())
    )


def _nearest(name: str, known: Iterable[str]) -> str:
    # Without the prefix, which would make all of them alike.
    ends = [each.removeprefix(PREFIX) for each in known]
    nearest = get_close_matches(name.upper().removeprefix(PREFIX), ends, n=1, cutoff=0.7)
    return f". Did you mean {PREFIX}{nearest[0]}?" if nearest else ", and is ignored."
