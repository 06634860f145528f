"""What the documentation shows on a terminal is what happens there."""

from pathlib import Path

import pytest

from tests.support.consoles import Command, File, not_run, read_page
from tests.support.patience import patient
from tests.support.programs import find_program
from tests.support.terminal import ROOT, open_terminal

PAGES = [
    page.relative_to(ROOT)
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if any(True for _ in read_page(page.read_text()))
]


@pytest.mark.timeout(patient(600.0))  # one of them downloads packages
@pytest.mark.parametrize("page", PAGES, ids=str)
def test_the_console_blocks_of_a_page_work_in_order(page: Path, tmp_path: Path) -> None:
    text = (ROOT / page).read_text()
    if "$ npx " in text:
        find_program("npx", package="npm")
    with open_terminal(tmp_path) as terminal:
        for step in read_page(text):
            if isinstance(step, File):
                terminal.write(step)
                continue
            printed = terminal.run(step)
            assert step.shows(printed), (
                f"{page}:{step.line}\n$ {step.text}\n\nshown:\n{step.output}\n\nprinted:\n{printed}"
            )


def test_a_page_that_shows_what_is_not_so_fails(tmp_path: Path) -> None:
    with open_terminal(tmp_path) as terminal:
        right, wrong = (
            Command(1, "curl localhost:8000/stuff/nobody -o /dev/null -w '%{http_code}'", status)
            for status in ("404", "200")
        )
        printed = terminal.run(right)
        assert right.shows(printed)
        assert not wrong.shows(printed)


def test_few_blocks_are_only_shown() -> None:
    reasons = [
        reason
        for page in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))
        for reason in not_run(page.read_text())
    ]
    assert len(reasons) < 20
    for reason in reasons:
        assert reason.startswith("needs "), reason
