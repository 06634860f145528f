"""What holds for the tests themselves."""

import ast
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).parent
MUTANTS = HERE / "trials" / "mutants"  # which bounds how long it works, whatever it has done
FILES = sorted(file for file in HERE.rglob("*.py") if MUTANTS not in file.parents)
LIMITS = ("timeout", "fail_after", "move_on_after", "wait_for", "wait")


def calls(tree: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            yield getattr(node.func, "id", name), node


def imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float)


def test_no_module_of_tests_imports_from_another() -> None:
    modules = [
        f"{file.relative_to(HERE)} imports {name}"
        for file in FILES
        for name in imported(ast.parse(file.read_text()))
        if name.startswith(("tests.test_", "tests.slow", "tests.conftest"))
    ]
    assert modules == []


def test_no_limit_is_as_short_on_a_busy_machine_as_on_an_idle_one() -> None:
    """Limits come from `tests.support.patience`."""
    fixed = []
    for file in FILES:
        for name, call in calls(ast.parse(file.read_text())):
            arguments = call.args if name in LIMITS else []
            arguments += [each.value for each in call.keywords if each.arg == "timeout"]
            if any(map(is_number, arguments)):
                fixed.append(f"{file.relative_to(HERE)}:{call.lineno}")
    assert fixed == []
