"""Mutation testing: `python -m tests.trials.mutants [NAME ...]`, for instance
`service.documents.codec*`.

Changes the code of the packages that [tool.mutmut] in pyproject.toml names, a place at a time, and
runs the tests that reach the place, on one engine for all. What no test finds has survived.
"""

import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from service.server.engine import EmbeddedEngine

ROOT = Path(__file__).parents[3]
TOOL = Path(sys.prefix) / "mutants" / "bin" / "mutmut"
"""Of an environment of its own, which `make mutants` makes."""


def main(names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        engine = EmbeddedEngine(Path(scratch))
        environment = os.environ | {"STUFF_TEST_MONGODB_URI": engine.start()}
        try:
            run = [str(TOOL), "run", "--max-children", str(os.cpu_count()), *names]
            subprocess.run(run, cwd=ROOT, env=environment, check=True)
        finally:
            engine.stop()
    command = [str(TOOL), "results", "--all", "true"]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    ends: dict[str, Counter[str]] = {}
    for name, end in re.findall(r"^\s*service\.([a-z]+)\S*: (.+)$", output, re.MULTILINE):
        ends.setdefault(name, Counter())[end] += 1
    for name, counts in ends.items():
        found = counts["killed"] + counts["timeout"]
        tried = sum(counts.values()) - counts["not checked"]
        print(f"{name}: {found} of {tried} found ({found / max(1, tried):.0%}), {dict(counts)}")


if __name__ == "__main__":
    main(sys.argv[1:])
