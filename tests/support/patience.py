"""How long tests wait: seconds on an idle machine, times one factor for the machine as it is.

Limits are for what hangs. Where a test is about order or number, it waits for events and compares
those; where a promise itself is a duration, its limit is `patient` too.
"""

import os
import time

VARIABLE = "STUFF_TEST_PATIENCE"
REFERENCE = 0.02  # seconds that `_work` takes on an idle machine
CI_FACTOR = 3.0  # others' machines become busy at any moment
_IN_CI = os.environ.get("CI") == "true"


def _work() -> float:
    """Seconds that a fixed piece of work takes now."""
    start = time.perf_counter()
    number = 0
    for step in range(150_000):
        number = (number * 31 + step) % 1_000_003
    return time.perf_counter() - start


def measured() -> float:
    """How many times longer things take here and now than on an idle machine; at least 1."""
    samples = [_work() for _ in range(5)]
    slowness = sum(samples) / len(samples) / REFERENCE
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    factor = max(1.0, slowness, load)
    return factor * CI_FACTOR if _IN_CI else factor


FACTOR = float(os.environ.get(VARIABLE) or measured())


def patient(seconds: float) -> float:
    """The limit for what takes less than so many seconds on an idle machine."""
    return seconds * FACTOR


def lasting(seconds: float) -> float:
    """How long a test makes something last, such as an operation's own limit or a blocked command,
    which it then waits for in full.

    The machine is taken as it is: nothing is added for what others may do to it.
    """
    return seconds * max(min(FACTOR, CI_FACTOR), FACTOR / (CI_FACTOR if _IN_CI else 1.0))


TIMEOUT = patient(30.0)
"""Seconds for anything that is expected to happen at all."""
