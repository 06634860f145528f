"""What MkDocs does not do by itself: files of the repository that pages link to become part of the
site, and a site that loads anything from another host is refused.

https://www.mkdocs.org/user-guide/configuration/#hooks
"""

import posixpath
import re
from html.parser import HTMLParser
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
REPOSITORY = "repository"
"""The folder of the site with files of the repository, at their paths."""

ICON = "service/static/favicon.svg"

_LINK = re.compile(r"(!?\[[^\]]*\]\()([^)#\s:]+)(#[^)\s]*)?(\))")
_FENCE = re.compile(r"^(```|~~~).*?^\1", re.MULTILINE | re.DOTALL)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the files that pages link to, and those that these link to."""
    pending = [file for file in files if file.is_documentation_page()]
    targets = [ICON]
    while targets or pending:
        if not targets:
            targets = linked(pending.pop())
            continue
        target = targets.pop()
        uri = site_uri(target)
        path = ROOT / target
        if files.get_file_from_path(uri) is not None or not path.is_file():
            continue  # it is there, or MkDocs will report the link
        file = File.generated(config, uri, abs_src_path=str(path))
        files.append(file)
        if file.is_documentation_page():
            pending.append(file)
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Point links at where their targets are in the site."""
    here = posixpath.dirname(page.file.src_uri)
    source = source_of(page.file)

    def relative(match: re.Match[str]) -> str:
        before, link, anchor, after = match.groups()
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), link))
        if (ROOT / target).is_dir():
            return match[0].partition("](")[0].lstrip("![")  # a site has no folders to look into
        uri = site_uri(target)
        return f"{before}{posixpath.relpath(uri, here or '.')}{anchor or ''}{after}"

    parts, end = [], 0
    for fence in _FENCE.finditer(markdown):
        parts += [_LINK.sub(relative, markdown[end : fence.start()]), fence.group()]
        end = fence.end()
    return "".join([*parts, _LINK.sub(relative, markdown[end:])])


def on_post_build(config: MkDocsConfig) -> None:
    """Refuse a site that needs another host."""
    for path in Path(config.site_dir).rglob("*"):
        if path.suffix == ".html":
            found = loaded(path.read_text())
        elif path.suffix == ".css":
            found = re.findall(r"(?:url\(\s*|@import\s+)[\"']?([^)\"']+)", path.read_text())
        else:
            continue
        for address in found:
            if re.match(r"(https?:)?//", address):
                raise PluginError(f"{path} loads {address} from another host.")


def linked(file: File) -> list[str]:
    """The paths in the repository that the page links to."""
    folder = posixpath.dirname(source_of(file))
    text = _FENCE.sub("", Path(str(file.abs_src_path)).read_text())
    return [posixpath.normpath(posixpath.join(folder, match[2])) for match in _LINK.finditer(text)]


def source_of(file: File) -> str:
    """Where the page is in the repository."""
    return Path(str(file.abs_src_path)).relative_to(ROOT).as_posix()


def site_uri(path: str) -> str:
    """Where a file of the repository is in the site: pages at their places, others in a folder."""
    return path.removeprefix("docs/") if path.startswith("docs/") else f"{REPOSITORY}/{path}"


class _Loads(HTMLParser):
    """Collects what a browser loads by itself when it shows a page. Links are not loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        for name in ("src", "srcset", "poster"):
            self.addresses += filter(None, [values.get(name)])
        if tag == "link" and values.get("rel") not in ("canonical", "next", "prev"):
            self.addresses.append(values.get("href") or "")


def loaded(html: str) -> list[str]:
    parser = _Loads()
    parser.feed(html)
    return parser.addresses
