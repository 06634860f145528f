"""Writes the pages."""

from docs._reference import FOLDER, PAGES

for name, page in PAGES.items():
    (FOLDER / name).write_text(page())
