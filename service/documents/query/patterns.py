"""Checks which regular expressions the database may be given.

A backtracking engine takes exponential time for a repeated group that can match the same text in
several ways, and polynomial time for several repetitions in a row. MongoDB gives up after a number
of steps; other engines may not, and look at the time limit of a query only between two documents.
"""

import re

MAX_LENGTH = 500
MAX_REPETITIONS = 3
"""Repetitions in a pattern that are unbounded, or may be long."""
LONG = 10

_TOKEN = re.compile(
    r"""(?P<escape>\\.) | (?P<set>\[\^?\]?(?:\\.|[^\]\\])*\]) | (?P<open>\((?:\?.)?) | (?P<close>\))
    | (?P<choice>\|) | (?P<repeat>[*+?]|\{(?:[0-9]+,?|,)[0-9]*\}) | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)


def explain_danger(pattern: str) -> str | None:
    """Why the pattern is refused; None if it is not."""
    if len(pattern) > MAX_LENGTH:
        return f"A pattern has at most {MAX_LENGTH} characters."
    if "\0" in pattern:
        return "A pattern may not contain a NUL."
    repetitions = 0
    open_groups: list[bool] = []  # whether each can match a text in several ways, as far as read
    before = ""  # the kind of the token before this one
    group = False  # whether that was the end of a group that can
    for token in _TOKEN.finditer(pattern):
        kind, text = token.lastgroup or "", token[0]
        if kind == "repeat" and before == "repeat":
            if text != "?":
                return "A repetition follows another one."
            kind = "lazy"
        match kind:
            case "escape" if text[1] in "123456789gkRKGCXQE":
                return f"{text!r} is not allowed in a pattern."
            case "open":
                if text not in ("(", "(?:"):
                    return "Of the groups (?...) only (?:...) is allowed; for flags use $options."
                open_groups.append(False)
            case "close":
                if not open_groups:
                    return "A closing parenthesis has no opening one."
                group = open_groups.pop()
            case "repeat":
                most = _most(text)
                if before == "close" and group and (most is None or most > 1):
                    return (
                        "A group that is repeated holds a choice or a repetition: matching it may "
                        "take exponential time. Rewrite the pattern."
                    )
                repetitions += most is None or most > LONG
        if open_groups and (kind in ("choice", "repeat") or (kind == "close" and group)):
            open_groups[-1] = True
        before = kind
    if open_groups:
        return "An opening parenthesis has no closing one."
    if repetitions > MAX_REPETITIONS:
        return f"A pattern has at most {MAX_REPETITIONS} repetitions that may be long."
    return None


def _most(repeat: str) -> int | None:
    """How often something is repeated at most; None if that is not bounded."""
    if repeat in "*+":
        return None
    if repeat == "?":
        return 1
    least, comma, most = repeat[1:-1].partition(",")
    bound = most if comma else least
    return int(bound) if bound else None
