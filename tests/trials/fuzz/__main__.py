"""Hostile bytes against a live server: `python -m tests.trials.fuzz [--cases N] [--seed N]`.

A corpus of requests, good and bad, and mutations of them, each on a connection of its own; and what
mutation does not find: slow clients, bombs, pipelines. The server must never answer 5xx but 503,
must answer or close in time, must serve others meanwhile, and must not grow.
"""

import argparse
import asyncio
import random
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.support.serving import Service, stuff_serve
from tests.trials.fuzz.attack import CLIENT_TIMEOUT, Attack, flood
from tests.trials.fuzz.clients import crawl, hoard, pipeline

MAX_GROWTH = 150 * 1024 * 1024  # bytes


def memory(service: Service) -> int:
    """The resident bytes of the service's process."""
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) * 1024


def peak(service: Service) -> int:
    status = Path(f"/proc/{service.process.pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--cases", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    options = parser.parse_args()
    print(f"seed {options.seed}")
    settings: dict[str, Any] = {
        "STUFF_CLIENT_TIMEOUT": str(CLIENT_TIMEOUT),
        "STUFF_MAX_BODY_BYTES": str(4 * 1024 * 1024),
        "STUFF_MAX_STREAM_BYTES": str(16 * 1024 * 1024),
        "STUFF_LOG_LEVEL": "critical",
    }
    with (
        tempfile.TemporaryDirectory() as scratch,
        stuff_serve(Path(scratch) / "data", **settings) as service,
    ):
        service.http.get("/stuff")
        before = memory(service)
        attack = Attack(service)
        asyncio.run(flood(attack, options.cases, options.seed))
        asyncio.run(crawl(attack))
        asyncio.run(pipeline(attack))
        asyncio.run(hoard(attack))
        grown, most = memory(service) - before, peak(service) - before
        if service.http.get("/readyz").status_code != 200:
            attack.faults.append("the service is not ready any more")
    if most > MAX_GROWTH:
        attack.faults.append(f"the service grew by {most:,} bytes")
    for fault in attack.faults[:20]:
        print(fault)
    answers = ", ".join(
        f"{status} {count} times" for status, count in sorted(attack.statuses.items())
    )
    print(f"{answers}; grown by {grown:,} bytes, at most by {most:,}")
    print(f"{sum(attack.statuses.values())} passed, {len(attack.faults)} failed")
    sys.exit(bool(attack.faults))


if __name__ == "__main__":
    main()
