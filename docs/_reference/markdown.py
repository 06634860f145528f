"""Markdown, as the pages are made of it."""

from collections.abc import Iterable, Sequence

NOTICE = "<!-- Made by `make docs-reference`: change the code that it shows instead. -->"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells, each of which may have Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, cells))} |" for cells in lines)


def code(text: object) -> str:
    return f"`{text}`"


def codes(texts: Iterable[object]) -> str:
    return ", ".join(map(code, texts))


def fenced(text: str, language: str) -> str:
    return f"```{language}\n{text.rstrip()}\n```"


def document(*blocks: str) -> str:
    """A page of these blocks, the first of which is its title."""
    title, *rest = blocks
    return "\n\n".join([f"# {title}", NOTICE, *rest]) + "\n"


def plain(text: str) -> str:
    """The words of a docstring or a description, on one line."""
    return " ".join(text.split())


def _cell(text: str) -> str:
    return plain(text).replace("|", "\\|")
