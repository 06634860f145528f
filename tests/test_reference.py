"""The reference in docs/ is made from the code, and says what the code does."""

from collections.abc import Callable

import pytest

from docs._reference import FOLDER, PAGES, settings
from service.settings import Settings


@pytest.mark.parametrize(("name", "page"), PAGES.items(), ids=PAGES)
def test_the_committed_page_is_made_from_this_code(name: str, page: Callable[[], str]) -> None:
    assert (FOLDER / name).read_text() == page(), "run make docs-reference"


def test_every_setting_has_a_type_and_a_meaning() -> None:
    rows = [line for line in settings.page().splitlines() if line.startswith("| `STUFF_")]
    assert len(rows) == len(Settings.model_fields)
    for row in rows:
        _, _, _, kind, _, meaning, _ = (cell.strip() for cell in row.split("|"))
        assert kind, row
        assert meaning.endswith("."), row
