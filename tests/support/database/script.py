"""Which answers a test has planted."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from tests.support.database.answers import Answer

Condition: TypeAlias = Callable[[dict[str, Any]], bool]
"""Whether an answer is for this command."""


def _any(_: dict[str, Any]) -> bool:
    return True


@dataclass
class _Entry:
    name: str
    answers: deque[Answer]
    when: Condition
    is_endless: bool

    def take(self, command: dict[str, Any]) -> Answer | None:
        if not self.answers or not self.when(command):
            return None
        return self.answers[0] if self.is_endless else self.answers.popleft()


class Script:
    """The planted answers. From any thread."""

    def __init__(self) -> None:
        self._entries: deque[_Entry] = deque()
        self._lock = threading.Lock()

    def answer(self, name: str, *answers: Answer, when: Condition = _any) -> None:
        """Answer the next commands of this name, those for which `when` holds, each with one."""
        with self._lock:
            self._entries.append(_Entry(name, deque(answers), when, False))

    def always(self, name: str, answer: Answer, when: Condition = _any) -> None:
        """Answer all these commands where `answer` has nothing left; what is said last holds."""
        with self._lock:
            self._entries.appendleft(_Entry(name, deque([answer]), when, True))

    def planted(self, name: str, command: dict[str, Any]) -> Answer | None:
        """The answer to this command, None if there is none."""
        with self._lock:
            for entry in sorted(self._entries, key=lambda entry: entry.is_endless):
                if entry.name == name and (answer := entry.take(command)) is not None:
                    return answer
        return None
