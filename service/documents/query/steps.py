"""How many steps a backtracking engine takes for a pattern at worst.

The embedded engine matches with the `re` of Python, which has no limit, and does nothing else
meanwhile. So it gets only patterns whose steps are at most a small constant times the text: one
pass. The estimate errs on the side of more steps.

A part of a pattern takes steps at each place where it is tried, and there are ways to match it
there. If what follows does not match, it is tried again for each way. A search tries the whole
pattern at each character of the text, unless it is anchored. A repetition without a bound takes a
step for each character that follows, and has as many ways: once, after an anchor, this is a pass
over the text; at the end of a pattern it cannot fail, so it is made once.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_STEPS = 50
"""For each byte of the texts as BSON, of all patterns of a filter together."""
TEXT_BYTES = 8
"""Of a text in an array, besides its characters. An anchored pattern takes steps once for each
text; they count as steps for these bytes, since a document can contain very many short texts."""
MAX_REPEAT = 65_535
"""As in MongoDB."""
GROUP_STEPS = 2  # for each repetition of a group, in addition to those of its content

_TOKEN = re.compile(
    r"""(?P<edge>\^|\$|\\[bBAzZ]) | (?P<char>\\.|\.) | (?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])
    | (?P<open>\((?:\?:)?) | (?P<close>\)) | (?P<choice>\|)
    | (?P<repeat>(?:[*+?]|\{(?:[0-9]+,?|,)[0-9]*\})\??) | (?P<literal>.)""",
    re.VERBOSE | re.DOTALL,
)

TOO_MANY = (
    f"The embedded engine takes patterns of at most {MAX_STEPS} steps for each character of a "
    "text, all patterns of a filter together. Use fewer or simpler ones, or begin them with '^'."
)
UNBOUNDED = (
    "The embedded engine takes a repetition without a bound at the end of a pattern, or once in a "
    "pattern that begins with '^'; others may take very long. Leave it out, or give it a bound."
)
GROUP = (
    "The embedded engine takes a repetition without a bound only of a single character or class. "
    "Give it a bound."
)


class TooManySteps(Exception):
    """The pattern may take more steps than are allowed; the text says why."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A character, an edge (`^`, `\\b`) or a group, and how often it is repeated."""

    text: str  # "" for a group
    branches: tuple[tuple["_Part", ...], ...] = ()  # of a group
    least: int = 1
    most: float = 1  # math.inf if it is not bounded

    @property
    def is_edge(self) -> bool:
        return self.text in _EDGES

    @property
    def is_unbounded(self) -> bool:
        return self.most == math.inf

    @property
    def is_literal(self) -> bool:
        is_character = len(self.text) == 1 and self.text not in "^$."
        return is_character and self.least == self.most == 1

    @property
    def steps(self) -> float:
        """At one place, all ways of matching it together."""
        if not self.branches:
            return self._single * max(self.most, 1)
        if self.most == 0:  # what is in the group is never tried
            return 1
        once = sum(map(_steps, self.branches)) + len(self.branches) + GROUP_STEPS
        ways = sum(map(_ways, self.branches))
        if self.is_unbounded:
            raise TooManySteps(GROUP)
        return once * _powers(ways, 0, int(self.most) - 1)

    @property
    def ways(self) -> float:
        """How many ways there are of matching it at one place."""
        if not self.branches:
            return self.most - self.least + 1
        if self.most == 0:
            return 1
        if self.is_unbounded:
            return math.inf
        return _powers(sum(map(_ways, self.branches)), self.least, int(self.most))

    @property
    def _single(self) -> int:
        """The steps for a character: more for a class of many ranges, which take time when the
        pattern is compiled."""
        return 1 + self.text.count("-") // 4


_EDGES = ("^", "$", r"\b", r"\B", r"\A", r"\z", r"\Z")


def steps(pattern: str, options: str) -> float:
    """The steps for each character of the text, of a pattern that `patterns.explain_danger` lets
    through, with these `$options`. Raises `TooManySteps`."""
    tokens = _TOKEN.finditer(pattern)
    branches = _branches(tokens)
    if any(tokens):
        raise TooManySteps("A closing parenthesis has no opening one.")
    return sum(_search_steps(list(branch), options, len(branches) == 1) for branch in branches)


def _search_steps(parts: list[_Part], options: str, is_alone: bool) -> float:
    """The steps for each character when one branch of a pattern is searched for."""
    parts, end = _without_end(_flat(parts))
    is_anchored = bool(parts) and parts[0].text in ("^", r"\A")
    is_by_line = is_anchored and parts[0].text == "^" and "m" in options
    places = [place for place, part in enumerate(parts) if part.is_unbounded]
    if not places:
        if is_anchored and not is_by_line:
            return end + _anchored_steps(parts)
        if is_alone and "i" not in options:
            # A literal prefix is searched for in one pass.
            while len(parts) > 1 and parts[0].is_literal:
                parts = parts[1:]
        return end + 1 + _steps(parts)
    if len(places) > 1 or not is_anchored:
        raise TooManySteps(UNBOUNDED)
    part = parts[places[0]]
    if part.branches:
        raise TooManySteps(GROUP)
    if not is_by_line:
        return end + _pass(parts, places[0])
    if part.text != "." or "s" in options:
        # A pass from the beginning of each line, over more than the line.
        raise TooManySteps(UNBOUNDED)
    return end + _steps(parts[: places[0]]) + _pass(parts, places[0])


def _anchored_steps(parts: list[_Part]) -> float:
    """The steps for each character when no repetition is unbounded."""
    # A long repetition of a character takes no more than one without a bound.
    longest = max(range(len(parts)), key=lambda place: parts[place].most)
    return min(1 + _steps(parts) / TEXT_BYTES, _pass(parts, longest))


def _pass(parts: list[_Part], place: int) -> float:
    """The steps for each character when an anchored pattern repeats one part over the text."""
    if parts[place].branches:
        return math.inf
    before, after = parts[:place], parts[place + 1 :]
    return 1 + _steps(before) / TEXT_BYTES + _ways(before) * (1 + _steps(after))


def _flat(parts: list[_Part]) -> list[_Part]:
    """Without the parentheses of groups that are neither repeated nor have a choice."""
    flat: list[_Part] = []
    for part in parts:
        if len(part.branches) == 1 and part.least == part.most == 1:
            flat += _flat(list(part.branches[0]))
        else:
            flat.append(part)
    return flat


def _without_end(parts: list[_Part]) -> tuple[list[_Part], float]:
    """Without repetitions at the end, beyond those that are needed for a match; and the steps that
    these take for each character."""
    end = 0.0
    while parts and parts[-1].least != parts[-1].most:
        *parts, last = parts
        if last.branches:  # it is made once in all, and what is in a group can fail
            end += last.steps / TEXT_BYTES
        if last.least:
            return [*parts, _Part(last.text, last.branches, last.least, last.least)], end
    return parts, end


def _steps(parts: tuple[_Part, ...] | list[_Part]) -> float:
    """The steps for these parts, one after the other, at one place."""
    total, ways = 0.0, 1.0
    for part in parts:
        total += ways * part.steps
        ways *= part.ways
    return total


def _ways(parts: tuple[_Part, ...] | list[_Part]) -> float:
    return math.prod(part.ways for part in parts)


def _powers(base: float, first: int, last: int) -> float:
    """The sum of the powers, but infinity once it is too large to matter."""
    total = 0.0
    for power in range(first, last + 1):
        total += base**power if power < 100 or base <= 1 else math.inf
        if not total <= MAX_STEPS * TEXT_BYTES:
            return math.inf
    return total


def _branches(tokens: Iterator[re.Match[str]]) -> tuple[tuple[_Part, ...], ...]:
    """The branches up to the end of the group, or of the pattern."""
    branches: list[tuple[_Part, ...]] = []
    parts: list[_Part] = []
    for token in tokens:
        match token.lastgroup:
            case "close":
                break
            case "choice":
                branches.append(tuple(parts))
                parts = []
            case "open":
                parts.append(_Part("", _branches(tokens)))
            case "repeat" if parts:
                part = parts.pop()
                if part.is_edge:
                    raise TooManySteps("An edge such as '^' is repeated. Leave that out.")
                least, most = _bounds(token[0])
                parts.append(_Part(part.text, part.branches, least, most))
            case _:
                parts.append(_Part(token[0]))
    return (*branches, tuple(parts))


def _bounds(repeat: str) -> tuple[int, float]:
    """The least and the greatest number of repetitions."""
    match repeat[0]:
        case "*":
            return 0, math.inf
        case "+":
            return 1, math.inf
        case "?":
            return 0, 1
    least, comma, most = repeat.rstrip("?")[1:-1].partition(",")
    if not comma:
        most = least
    bounds = int(least or 0), int(most) if most else math.inf
    if bounds[0] > min(bounds[1], MAX_REPEAT) or MAX_REPEAT < bounds[1] < math.inf:
        raise TooManySteps(f"A repetition has bounds up to {MAX_REPEAT:,}, the smaller one first.")
    return bounds
