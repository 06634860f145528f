"""Clients generated from openapi.json.

    python -m tests.trials.clients [python typescript go java]

Each is generated into a directory that is thrown away, compiled, and lives through the same story
against a live server: create, get, replace on condition, be refused by a 412 with a typed problem,
patch, page through the collection, delete. A warning of a generator is a failure.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from service.security import make_key
from tests.support.serving import stuff_serve

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
DOCUMENT = ROOT / "openapi.json"
TOOLS = Path(sys.prefix) / "clients" / "bin"
"""Of an environment of its own, which `make clients` makes: the generators want other versions."""
TIMEOUT = 300  # seconds: the first time everything is downloaded

NOTICES = (
    "OpenAPI 3.1 support is still in beta",  # openapi-generator, of each such document
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


def openapi_generator(language: str, *options: str, at: Path) -> None:
    generator = TOOLS / "openapi-generator-cli"
    generate(generator, "generate", "-i", DOCUMENT, "-g", language, *options, at=at)


def python(at: Path, server: dict[str, str]) -> None:
    generate(TOOLS / "openapi-python-client", "generate", "--path", DOCUMENT, at=at)
    [package] = at.glob("*/stuff_client")
    shutil.copy(HERE / "python" / "story.py", package.parent)
    run(TOOLS / "mypy", "--strict", "story.py", at=package.parent)
    run(TOOLS / "python", "-W", "error", "story.py", at=package.parent, **server)


def typescript(at: Path, server: dict[str, str]) -> None:
    for file in (HERE / "typescript").iterdir():
        shutil.copy(file, at)
    shutil.copy(ROOT / "examples" / "streams.ts", at)
    run("npm", "install", "--no-audit", "--no-fund", "--no-package-lock", at=at)
    tools = at / "node_modules" / ".bin"
    generate(tools / "openapi-typescript", DOCUMENT, "--output", "schema.ts", at=at)
    run(tools / "tsc", at=at)
    run("node", "built/story.js", at=at, **server)


def go(at: Path, server: dict[str, str]) -> None:
    options = ["--package-name", "stuff", "-p", "withGoMod=false", "-o", "stuff"]
    openapi_generator("go", *options, at=at)
    shutil.rmtree(at / "stuff" / "test")  # of its own, empty, and with dependencies
    shutil.copy(HERE / "go" / "story.go", at)
    (at / "go.mod").write_text("module story\n\ngo 1.19\n")
    run("go", "vet", "./...", at=at)
    run("go", "build", "-o", "told", ".", at=at)
    run(at / "told", at=at, **server)


def java(at: Path, server: dict[str, str]) -> None:
    packages = ["--invoker-package", "stuff"]
    packages += ["--api-package", "stuff.api", "--model-package", "stuff.model"]
    openapi_generator("java", "--library", "native", *packages, "-o", "client", at=at)
    shutil.copy(HERE / "java" / "Story.java", at)
    goals = ["package", "dependency:copy-dependencies"]
    options = ["-DskipTests", "-Dmaven.test.skip=true", "-Dmaven.javadoc.skip=true"]
    run("mvn", "--batch-mode", "--quiet", *options, *goals, at=at / "client")
    jars = "client/target/*:client/target/dependency/*"
    run("javac", "-Xlint:all,-processing", "-Werror", "-cp", jars, "Story.java", at=at)
    run("java", "-cp", f"{jars}:.", "Story", at=at, **server)


LANGUAGES = {"python": python, "typescript": typescript, "go": go, "java": java}


def main(names: list[str]) -> None:
    token, key = make_key(["read", "write"])
    with tempfile.TemporaryDirectory() as scratch:
        at = Path(scratch)
        settings: dict[str, Any] = {"STUFF_API_KEYS": str(key)}
        with stuff_serve(at / "data", **settings) as service:
            server = {"STUFF_URL": service.base_url, "STUFF_KEY": token}
            for name in names or LANGUAGES:
                (at / name).mkdir()
                LANGUAGES[name](at / name, server)
                print(f"{name}: the story holds")


if __name__ == "__main__":
    main(sys.argv[1:])
