"""The names of components, from which generators make types."""

import re
from collections.abc import Iterable
from itertools import count
from typing import Any
from urllib.parse import unquote, urldefrag


def pascal(text: str) -> str:
    """The text as the name of a type: `first_name` is `FirstName`. What no programming language
    has in names is left out."""
    words = re.findall(r"[A-Za-z0-9]+", text)
    return "".join(word[0].upper() + word[1:] for word in words)


def name_of_reference(reference: str) -> str:
    """`Author`, of `#/$defs/author` and of `people/author.json`."""
    address, fragment = urldefrag(reference)
    last = unquote(fragment).rpartition("/")[2]
    return pascal(last or address.rpartition("/")[2].partition(".")[0])


def labelled(branches: list[Any]) -> list[tuple[Any, str]]:
    """The branches of a union, and what tells each from the others."""
    if len([each for each in branches if each != {"type": "null"}]) == 1:
        return [(each, "") for each in branches]
    return [(each, _label(each, number)) for number, each in enumerate(branches, 1)]


def _label(branch: Any, number: int) -> str:
    if isinstance(branch, dict):
        if "$ref" in branch and (name := name_of_reference(branch["$ref"])):
            return name
        if isinstance(title := branch.get("title"), str) and pascal(title):
            return pascal(title)
        properties = branch.get("properties", {})
        for each in properties.values() if isinstance(properties, dict) else ():
            if isinstance(each, dict) and isinstance(value := each.get("const"), str):
                return pascal(value) or str(number)
    return str(number)


def have_names(values: list[Any]) -> bool:
    """Whether generators make a name of its own for each of these texts. `A` and `a`, or `x-y` and
    `x_y`, are one name in some languages, and then nothing is generated, or a value is lost."""
    named = [value for value in values if any(letter.isalnum() for letter in value)]
    return len({"".join(re.findall(r"[a-z0-9]+", value.lower())) for value in named}) == len(named)


class Names:
    """The components of a collection, by their names, of which some are reserved for components to
    come."""

    def __init__(self, reserved: Iterable[str]) -> None:
        self.components: dict[str, dict[str, Any]] = {}
        self._reserved = set(reserved)

    def unused(self, name: str) -> str:
        """The name, with a number if it is taken."""
        taken = self._reserved | self.components.keys()
        if name not in taken:
            return name
        return next(f"{name}{n}" for n in count(2) if f"{name}{n}" not in taken)

    def reserve(self, name: str) -> str:
        self._reserved.add(name)
        return name

    def release(self, name: str) -> None:
        self._reserved.discard(name)

    def define(self, name: str, component: dict[str, Any]) -> dict[str, Any]:
        """Adds the component of this name, which is reserved; returns a reference to it."""
        self.components[name] = component
        return self.reference(name)

    def add(self, name: str, component: dict[str, Any]) -> dict[str, Any]:
        """Adds a component, with a number after its name if that is taken."""
        return self.define(self.unused(name), component)

    def reference(self, name: str) -> dict[str, Any]:
        return {"$ref": f"#/components/schemas/{name}"}


def operation_names(name: str, collection: str) -> dict[tuple[str, bool], str]:
    """The names of a collection's operations, by the method and whether it is of one document:
    `get_book`, `list_books`. No other collection may have any of them."""
    one = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+", "_", name).strip("_").lower()
    methods = ("get", "head", "put", "patch", "delete", "options")
    return {(method, True): f"{method}_{one}" for method in methods} | {
        ("post", False): f"create_{one}",
        ("get", False): f"list_{collection}",
        ("head", False): f"head_all_{collection}",
        ("delete", False): f"delete_all_{collection}",
        ("options", False): f"options_all_{collection}",
    }
