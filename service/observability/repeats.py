"""Warnings that clients can cause at will, such as of malformed requests: a few lines, whatever
their number."""

import logging

PAUSE = 10.0  # seconds


class Repeats(logging.Filter):
    """Lets a warning of the server through once in `PAUSE` seconds. The next one then says how many
    were left out.

    What the server warns of are constant texts, so the memory is bounded. A warning with arguments
    is let through.
    """

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[str, float] = {}  # when it was let through
        self._left_out: dict[str, int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno != logging.WARNING or record.args:
            return True
        text = str(record.msg)
        if record.created - self._last.get(text, 0.0) < PAUSE:
            self._left_out[text] = self._left_out.get(text, 0) + 1
            return False
        self._last[text] = record.created
        if left_out := self._left_out.pop(text, 0):
            record.msg = f"{text} (and {left_out:,} times since the last line)"
        return True
