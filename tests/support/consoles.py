"""The console blocks of a page: what to type, and what it shows.

A line that starts with `$ ` is a command, with the lines after it that are indented. Other lines
are its output, where `...` stands for any text, and a line of its own for any lines. Ids, times and
tokens that differ each time stand for each other. Of a response's header (`curl -i`), a page shows
some fields. A block of another language with a `title` is a file that the reader writes.

A block after a comment `<!-- not run: why -->` is only shown.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

FENCE = re.compile(
    r"(?P<mark><!-- not run: [^>]+ -->\n\n?)?"
    r"^```(?P<language>\w+)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
VARYING = {
    r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b": "UUID",
    r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)": "TIME",
    r"\b\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\b": "DATE",
    r"\bstuff_[0-9a-f]{8}_[\w-]{43}": "KEY",
}


@dataclass(frozen=True)
class File:
    """What the reader writes into a file."""

    name: str
    text: str


@dataclass(frozen=True)
class Command:
    line: int
    """Where the command is in the page, from 1."""
    text: str
    output: str

    def shows(self, actual: str) -> bool:
        """Whether the page shows what the command printed."""
        if re.search(r"\bcurl\b.* -\w*i\b", self.text, re.DOTALL):
            actual = only_shown_fields(actual, self.output)
        return re.fullmatch(pattern(self.output), varying_alike(actual.strip())) is not None


def read_page(text: str) -> Iterator[File | Command]:
    """What the reader does, in order."""
    for block in FENCE.finditer(text):
        if block["mark"]:
            continue
        if block["title"]:
            yield File(block["title"], block["text"])
        elif block["language"] == "console":
            yield from read_console(block["text"], text.count("\n", 0, block.start("text")) + 1)


def read_console(text: str, first: int = 1) -> Iterator[Command]:
    lines = text.splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith("$ ")]
    if starts[:1] != [0]:
        raise ValueError(f"The block in line {first} does not start with a command.")
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        rest = start + 1
        while rest < end and lines[rest].startswith("  "):
            rest += 1
        command = "\n".join([lines[start].removeprefix("$ "), *lines[start + 1 : rest]])
        yield Command(first + start, command, "\n".join(lines[rest:end]).strip())


def not_run(text: str) -> list[str]:
    """The reasons for which blocks are not run."""
    return re.findall(r"<!-- not run: ([^>]+) -->", text)


def only_shown_fields(actual: str, shown: str) -> str:
    """The response without the header fields that the page leaves out, and without empty lines."""
    head, _, body = actual.replace("\r", "").partition("\n\n")
    names = {line.partition(":")[0].lower() for line in shown.splitlines()}
    status, *fields = head.splitlines() or [""]
    kept = [field for field in fields if field.partition(":")[0].lower() in names]
    return "\n".join([status, *kept, body])


def varying_alike(text: str) -> str:
    for varying, name in VARYING.items():
        text = re.sub(varying, name, text)
    return text


def pattern(shown: str) -> str:
    """A regular expression for what the page shows."""
    if not shown:
        return ""
    lines: list[str] = []
    for line in varying_alike(shown).splitlines():
        if line.strip() == "...":
            lines.append(r"(?:.*\n)*?(?:.*)?")
        else:
            lines.append(r".*".join(map(re.escape, line.rstrip().split("..."))) + r"[ ]*")
    return r"\n".join(lines)
