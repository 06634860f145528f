"""Schemathesis against a live server: `python -m tests.trials.schema [--examples N] [--seeds N]`.

All its checks, in all its phases, stateful ones included: no fault of the service, no status and no
form of an answer that openapi.json does not tell. Each seed begins with an empty database.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from service.security import make_key
from tests.support.serving import stuff_serve

HERE = Path(__file__).parent
DOCUMENT = HERE.parents[2] / "openapi.json"
TOOL = Path(sys.prefix) / "schema" / "bin" / "schemathesis"
"""Of an environment of its own, which `make schema` makes: it wants other versions."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--examples", type=int, default=150, help="of each operation and phase")
    parser.add_argument("--seeds", type=int, nargs="+", default=[random.randrange(2**32)])
    options = parser.parse_args()
    token, key = make_key(["read", "write"])
    for seed in options.seeds:
        with tempfile.TemporaryDirectory() as scratch:
            settings: dict[str, Any] = {"STUFF_API_KEYS": str(key), "STUFF_LOG_LEVEL": "critical"}
            with stuff_serve(Path(scratch) / "data", **settings) as service:
                command: list[str | Path] = [
                    TOOL,
                    "--config-file",
                    HERE / "schemathesis.toml",
                    "run",
                    DOCUMENT,
                ]
                command += ["--url", service.base_url, "--checks", "all"]
                # In its place: use_after_delete, in hooks.py.
                command += ["--exclude-checks", "use_after_free", "--seed", str(seed)]
                command += ["--max-examples", str(options.examples)]
                command += ["--header", f"Authorization: Bearer {token}"]
                environment = {"SCHEMATHESIS_HOOKS": "hooks", "PYTHONPATH": str(HERE)}
                result = subprocess.run(command, cwd=scratch, env=os.environ | environment)
        if result.returncode != 0:
            sys.exit(result.returncode)


if __name__ == "__main__":
    main()
