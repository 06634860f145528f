"""For each language, how its client is generated and compiled, and how the stories are run."""

import shutil
from collections.abc import Callable
from pathlib import Path

from tests.trials.clients.generators import TOOLS, generate, openapi_generator, run

HERE = Path(__file__).parent
ROOT = HERE.parents[2]

# Where names have no leading underscore, `_id` would be the `id` that a document may have beside.
DOCUMENT_ID = ["--name-mappings", "_id=documentId"]
EXPORTED_DOCUMENT_ID = ["--name-mappings", "_id=DocumentId"]
"""For Go, which reads only fields that start with a capital letter."""


def copy_stories(language: str, at: Path) -> None:
    shutil.copytree(HERE / language, at, dirs_exist_ok=True)


def python(document: Path, at: Path, server: dict[str, str]) -> None:
    generate(TOOLS / "openapi-python-client", "generate", "--path", document, at=at)
    [package] = at.glob("*/stuff_client")
    copy_stories("python", package.parent)
    run(TOOLS / "mypy", "--strict", "story.py", "books.py", at=package.parent)
    for story in ("story.py", "books.py"):
        run(TOOLS / "python", "-W", "error", story, at=package.parent, **server)


def typescript(document: Path, at: Path, server: dict[str, str]) -> None:
    copy_stories("typescript", at)
    shutil.copy(ROOT / "examples" / "streams.ts", at)
    run("npm", "install", "--no-audit", "--no-fund", "--no-package-lock", at=at)
    tools = at / "node_modules" / ".bin"
    generate(tools / "openapi-typescript", document, "--output", "schema.ts", at=at)
    run(tools / "tsc", at=at)
    for story in ("story.js", "books.js"):
        run("node", f"built/{story}", at=at, **server)


def go(document: Path, at: Path, server: dict[str, str]) -> None:
    options = ["--package-name", "stuff", "-p", "withGoMod=false", *EXPORTED_DOCUMENT_ID]
    openapi_generator(document, "go", *options, "-o", "stuff", at=at)
    shutil.rmtree(at / "stuff" / "test")  # of its own, empty, and with dependencies
    copy_stories("go", at)
    (at / "go.mod").write_text("module story\n\ngo 1.19\n")
    run("go", "vet", "./...", at=at)
    run("go", "build", "-o", "told", ".", at=at)
    run(at / "told", at=at, **server)


def java(document: Path, at: Path, server: dict[str, str]) -> None:
    options = ["--library", "native", "--invoker-package", "stuff", *DOCUMENT_ID]
    options += ["--api-package", "stuff.api", "--model-package", "stuff.model"]
    # Else it sends an empty list for each list that was not set.
    options += ["-p", "containerDefaultToNull=true"]
    openapi_generator(document, "java", *options, "-o", "client", at=at)
    copy_stories("java", at)
    goals = ["package", "dependency:copy-dependencies"]
    skipped = ["-DskipTests", "-Dmaven.test.skip=true", "-Dmaven.javadoc.skip=true"]
    run("mvn", "--batch-mode", "--quiet", *skipped, *goals, at=at / "client")
    jars = "client/target/*:client/target/dependency/*"
    stories = ["Story.java", "Books.java"]
    run("javac", "-Xlint:all,-processing", "-Werror", "-cp", jars, *stories, at=at)
    run("java", "-cp", f"{jars}:.", "Story", at=at, **server)


def rust(document: Path, at: Path, server: dict[str, str]) -> None:
    # Without TLS, and with a middleware that names the format of patches (`rust/story.rs`).
    options = ["--package-name", "stuff", "-p", "packageVersion=1.0.0"]
    options += ["-p", "supportMiddleware=true", "-p", "reqwestDefaultFeatures="]
    openapi_generator(document, "rust", *options, "-o", "stuff", at=at)
    copy_stories("rust", at)
    run("cargo", "run", "--quiet", "--locked", at=at, **server)


def php(document: Path, at: Path, server: dict[str, str]) -> None:
    options = ["--invoker-package", "Stuff", *DOCUMENT_ID]
    openapi_generator(document, "php", *options, "-o", "stuff", at=at)
    copy_stories("php", at)
    run("php", "story.php", at=at, **server)


def ruby(document: Path, at: Path, server: dict[str, str]) -> None:
    # Else it takes the documents of a page for models of a class `Hash`, and cannot read them.
    options = ["-p", "gemName=stuff", "--type-mappings", "Hash=Object"]
    openapi_generator(document, "ruby", *options, "-o", "stuff", at=at)
    copy_stories("ruby", at)
    run("ruby", "story.rb", at=at, **server)


LANGUAGES: dict[str, Callable[[Path, Path, dict[str, str]], None]] = {
    "python": python,
    "typescript": typescript,
    "go": go,
    "java": java,
    "rust": rust,
    "php": php,
    "ruby": ruby,
}
