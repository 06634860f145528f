"""Links in the documentation lead somewhere, and what it quotes is there."""

import re
from pathlib import Path

import pytest

from tests.support.consoles import FENCE

ROOT = Path(__file__).parent.parent
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "bench" / "README.md"]
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(#[^)\s]*)?\)")
HEADING = re.compile(r"^#+ (.*?)(?: \{ #([\w-]+) \})?$", re.MULTILINE)


def without_blocks(page: Path) -> str:
    return FENCE.sub("", page.read_text())


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and MkDocs make them."""
    return {
        f"#{given or re.sub(r'[^a-z0-9 _-]', '', title.lower()).replace(' ', '-')}"
        for title, given in HEADING.findall(without_blocks(page))
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_each_link_leads_somewhere(page: Path) -> None:
    for target, anchor in LINK.findall(without_blocks(page)):
        path = (page.parent / target) if target else page
        assert path.exists(), f"{target} is not there"
        if anchor and path.suffix == ".md":
            assert anchor in anchors(path), f"{target} has no {anchor}"


def test_each_line_of_the_log_that_is_explained_is_logged() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "service").rglob("*.py"))
    sources = re.sub(r"\"\s+f?\"", "", sources)  # literals over several lines
    page = (ROOT / "docs" / "how-to" / "observe.md").read_text()
    lines = re.findall(r"^\| `([^`]+)` \|", page.partition("{ #lines }")[2], re.MULTILINE)
    assert len(lines) > 15
    for line in lines:
        for sentence in re.split(r"(?<=\.) ", line):
            assert sentence in sources, line


def test_each_alert_is_explained() -> None:
    rules = (ROOT / "deploy" / "alerts.yaml").read_text()
    page = (ROOT / "docs" / "how-to" / "observe.md").read_text()
    severities = {"page": "now", "ticket": "within days"}
    assert re.findall(r"^\| `(Stuff\w+)` \| ([\w ]+) \|", page, re.MULTILINE) == sorted(
        (
            (name, severities[severity])
            for name, severity in re.findall(
                r"- alert: (\w+).*?severity: (\w+)", rules, re.MULTILINE | re.DOTALL
            )
        ),
        key=lambda row: row[1] != "now",
    )
