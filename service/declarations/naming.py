"""Names for collections that exist already: in paths, and of a document as a type."""

import re
from collections.abc import Collection, Iterator
from itertools import count

from service.declarations import DEFAULT, RESERVED
from service.documents.published.names import pascal

MAX_CHARACTERS = 60
"""Of a name that is made here; there is room for a number."""

_ALLOWED = re.compile(r"[a-z][a-z0-9_]{0,62}")
_IRREGULAR = {
    "movies": "movie", "news": "news", "people": "person", "children": "child", "series": "series",
}  # fmt: skip
_ENDINGS = (("sses", "ss"), ("shes", "sh"), ("ches", "ch"), ("xes", "x"), ("ies", "y"))


def is_path_name(name: str) -> bool:
    """Whether a collection of this name in the database may have the same name in paths."""
    return _ALLOWED.fullmatch(name) is not None and name not in (DEFAULT, *RESERVED)


def path_name(name: str, taken: Collection[str]) -> str:
    """A name in paths for the collection of this name in the database: `order_items` for
    `OrderItems`; another one if it is taken."""
    if is_path_name(name) and name not in taken:
        return name
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    stem = re.sub(r"[^a-z0-9]+", "_", words)[:MAX_CHARACTERS].strip("_")
    if not stem[:1].isalpha():
        stem = f"collection_{stem}"[:MAX_CHARACTERS].rstrip("_")
    candidates = (stem, *(f"{stem}_{number}" for number in range(2, len(taken) + 3)))
    return next(each for each in candidates if is_path_name(each) and each not in taken)


def model_names(name: str) -> Iterator[str]:
    """Names of a document as a type, the best first, without end: `OrderItem` for `order_items`."""
    plural = pascal(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name))[:MAX_CHARACTERS]
    if not plural[:1].isalpha():
        plural = f"Collection{plural}"[:MAX_CHARACTERS]
    yield singular(plural)
    yield plural
    for number in count(2):
        yield f"{plural}{number}"


def singular(plural: str) -> str:
    """The singular of the last word of a name such as `OrderItems`; a guess."""
    start, word = _last_word(plural)
    lower = word.lower()
    if lower in _IRREGULAR:
        one = _IRREGULAR[lower]
        return start + word[0] + one[1:]
    for ending, one in _ENDINGS:
        if lower.endswith(ending) and len(lower) > len(ending) + 1:
            return start + word[: -len(ending)] + one
    if lower.endswith("s") and not lower.endswith(("ss", "us", "is")) and len(lower) > 2:
        return start + word[:-1]
    return plural


def _last_word(name: str) -> tuple[str, str]:
    at = max((match.start() for match in re.finditer("[A-Z]", name)), default=0)
    return name[:at], name[at:]
