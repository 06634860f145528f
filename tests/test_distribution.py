"""What the distribution is called, and how the documentation and messages say to install it."""

import re
import tomllib
from pathlib import Path

import pytest

from service.errors import how_to_install

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
STRANGER = "stuff"  # a package of the public index that somebody else owns
INSTALLATION = re.compile(r"pip install (?!-)['\"]?([\w.]+)")


def test_the_distribution_has_a_name_of_its_own_and_the_command_is_stuff() -> None:
    assert PROJECT["name"] != STRANGER
    assert PROJECT["scripts"] == {"stuff": "service.cli:main"}
    for lock in sorted((ROOT / "requirements").glob("*.txt")):
        sources = re.findall(r"([\w-]+) \(pyproject\.toml", lock.read_text())
        assert set(sources) <= {PROJECT["name"]}, lock.name
        assert not re.search(rf"^{STRANGER}==", lock.read_text(), re.MULTILINE), lock.name


def test_nothing_says_to_install_from_an_index() -> None:
    texts = [*ROOT.glob("*.md"), ROOT / "Makefile", *(ROOT / "service").rglob("*.py")]
    texts += [*ROOT.glob("examples/*.md"), *ROOT.glob("bench/*.md"), *ROOT.glob("tests/*.md")]
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in texts
        for match in INSTALLATION.finditer(path.read_text())
        if match[1] != "."
    ]
    assert found == []
    assert "pip install '.[embedded]'" in (ROOT / "README.md").read_text()


@pytest.mark.parametrize("extra", ["embedded", "jwt", "tracing"])
def test_a_missing_extra_is_installed_from_the_checkout(extra: str) -> None:
    assert extra in PROJECT["optional-dependencies"]
    assert how_to_install(extra).endswith(f"pip install '.[{extra}]'.")


def test_the_developers_tools_are_no_extras() -> None:
    assert PROJECT["optional-dependencies"].keys() == {"embedded", "jwt", "tracing"}


def test_types_are_part_of_the_distribution() -> None:
    """https://peps.python.org/pep-0561/"""
    assert (ROOT / "service" / "py.typed").is_file()
