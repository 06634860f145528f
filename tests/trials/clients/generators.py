"""Running generators, compilers and clients."""

import os
import re
import subprocess
import sys
from pathlib import Path

TOOLS = Path(sys.prefix) / "clients" / "bin"
"""Of an environment of its own, which `make clients` makes: the generators want other versions."""
TIMEOUT = 600  # seconds: the first time everything is downloaded and compiled

NOTICES = (
    "OpenAPI 3.1 support is still in beta",  # openapi-generator, of each such document
    # Of a body that may have more members than it names: `true` is no name of a schema.
    "Failed to get the schema name: null",
    # That for Java, of a body with a type and an example: it documents bodies by their types.
    "Ignoring complex example on request body",
    # That for Rust, of `type` and other words of the language, and of each media type.
    "name. Renamed to",
    # openapi-python-client leaves the second body of POST out: a load is sent with httpx.
    "Warning(s) encountered while generating",
    "WARNING parsing POST /stuff within documents.",
)


def run(*command: str | Path, at: Path, **environment: str) -> str:
    """What the command prints; if it fails, so does this."""
    result = subprocess.run(
        command,
        cwd=at,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT,
    )
    if result.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: {result.returncode}\n{result.stdout}")
    return result.stdout


def generate(*command: str | Path, at: Path) -> None:
    """Run a generator, which may not warn."""
    output = run(*command, at=at, PATH=f"{TOOLS}:{os.environ['PATH']}")
    warnings = [line for line in output.splitlines() if re.search(r"\bwarn", line, re.IGNORECASE)]
    if faults := [line for line in warnings if not any(notice in line for notice in NOTICES)]:
        sys.exit(f"{' '.join(map(str, command))}:\n" + "\n".join(faults) + f"\n{output}")


def openapi_generator(document: Path, language: str, *options: str, at: Path) -> None:
    generator = TOOLS / "openapi-generator-cli"
    generate(generator, "generate", "-i", document, "-g", language, *options, at=at)
