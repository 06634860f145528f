"""Canonical strings of hexadecimal digits, in their order."""

import re

DIGITS = "0123456789abcdef"


class HexText:
    """Strings with a digit, in lower case, at each `0` of the first of them, and otherwise the same
    characters."""

    def __init__(self, first: str) -> None:
        self.first = first
        self.last = first.replace("0", "f")
        self._pattern = re.compile(first.replace("0", "[0-9a-f]"))

    def has(self, text: str) -> bool:
        return self._pattern.fullmatch(text) is not None

    def least_after(self, text: str) -> str | None:
        """The first string that sorts after the text, which is none of them; None if there is
        none."""
        kept = self._begins(text)
        if kept == len(text):
            return text + self.first[kept:]
        for place in range(min(kept, len(self.first) - 1), -1, -1):
            for character in self._allowed(place):
                if character > text[place]:
                    return text[:place] + character + self.first[place + 1 :]
        return None

    def _begins(self, text: str) -> int:
        """How many characters are as those of the strings."""
        for place, character in enumerate(text[: len(self.first)]):
            if character not in self._allowed(place):
                return place
        return min(len(text), len(self.first))

    def _allowed(self, place: int) -> str:
        character = self.first[place]
        return DIGITS if character == "0" else character
