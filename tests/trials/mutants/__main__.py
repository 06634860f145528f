"""Mutation testing of a sample: `python -m tests.trials.mutants [--count 200] [--seed 1]`.

Changes the code that [tool.mutmut] in pyproject.toml names, a place at a time, and runs the tests
that reach the place, on one engine for all. A change that no test finds has survived. The sample
takes as many changes of each part, chosen by the seed; it ends after `--minutes` at the latest, and
the score is that of the changes that were tried until then.
"""

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from service.server.engine import EmbeddedEngine

ROOT = Path(__file__).parents[3]
TOOL = Path(sys.prefix) / "mutants" / "bin" / "mutmut"
"""Of an environment of its own, which `make mutants` makes."""
GRACE = 60.0  # seconds from the end of the time to the end of the tests that run then


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--count", type=int, default=200, help="changes to try")
    parser.add_argument("--seed", type=int, default=1, help="chooses them")
    parser.add_argument("--minutes", type=float, default=15.0, help="the most time for trying them")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        engine = EmbeddedEngine(Path(scratch))
        os.environ["STUFF_TEST_MONGODB_URI"] = engine.start()
        try:
            # Makes all changes and finds out which tests reach them; then nothing has this name.
            _mutmut("run", "none", timeout=600)
            chosen = sample(list(_results()), options.count, random.Random(options.seed))
            _mutmut("run", *chosen, timeout=options.minutes * 60)
        finally:
            engine.stop()
    results = _results()
    report({name: results[name] for name in chosen})


def part(name: str) -> str:
    """What a change belongs to: the module or package below its room."""
    return name.split(".")[2]


def sample(names: list[str], count: int, chance: random.Random) -> list[str]:
    """So many names, as many of each part as it has, or as is its share."""
    parts: dict[str, list[str]] = {}
    for name in sorted(names):
        parts.setdefault(part(name), []).append(name)
    chosen: list[str] = []
    # The small ones first: what they lack, the others make up for.
    for rest, members in enumerate(sorted(parts.values(), key=len), -len(parts)):
        share = (count - len(chosen)) // -rest
        chosen += chance.sample(members, min(share, len(members)))
    return chosen


def report(ends: dict[str, str]) -> None:
    counts: dict[str, Counter[str]] = {}
    for name, end in ends.items():
        counts.setdefault(part(name), Counter())[end] += 1
    counts["all"] = sum(counts.values(), Counter())
    for name, of_part in counts.items():
        found = of_part["killed"] + of_part["timeout"]
        tried = of_part.total() - of_part["not checked"]
        share = f"{found / tried:.0%}" if tried else "-"
        print(f"{name}: {found} of {tried} changes found ({share}), {dict(of_part)}")
    for name, end in sorted(ends.items()):
        if end not in ("killed", "timeout", "not checked"):
            print(f"  {end}: {name}")


def _mutmut(*arguments: str, timeout: float) -> None:
    """Run the tool; at the end of the time have it stop."""
    command = [str(TOOL), *arguments[:1], "--max-children", str(os.cpu_count()), *arguments[1:]]
    # It draws a spinner, thousands of lines of it where there is no terminal.
    output = None if sys.stdout.isatty() else subprocess.DEVNULL
    with subprocess.Popen(
        command, cwd=ROOT, stdout=output, stderr=output, start_new_session=True
    ) as process:
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(GRACE)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)


def _results() -> dict[str, str]:
    """How each change ended, by its name."""
    command = [str(TOOL), "results", "--all", "true"]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = dict(re.findall(r"^\s*(service\.\S+): (.+)$", output, re.MULTILINE))
    if not found:
        sys.exit("mutmut has made no changes")
    return found


if __name__ == "__main__":
    main()
