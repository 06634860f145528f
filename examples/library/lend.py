"""Lends a book: python lend.py kindred ada 2026-12-31"""

import os
import sys
from datetime import date

from stuff_client import AuthenticatedClient
from stuff_client.api.books import get_book, patch_book
from stuff_client.models import Book, BookLentPatch, BookPatch, Problem

id, reader, until = sys.argv[1:]
library = AuthenticatedClient(
    os.environ.get("STUFF_URL", "http://127.0.0.1:8000"),
    token=os.environ.get("STUFF_KEY", "none"),
)

seen = get_book.sync_detailed(id, client=library)
book = seen.parsed
if isinstance(book, Problem):
    sys.exit(book.detail)
assert isinstance(book, Book)
if book.lent:
    sys.exit(f"{book.lent.to} has it until {book.lent.until}.")

patch = BookPatch(lent=BookLentPatch(to=reader, until=date.fromisoformat(until)))
lent = patch_book.sync(id, client=library, body=patch, if_match=seen.headers["ETag"])
if isinstance(lent, Problem):
    for fault in lent.errors or []:
        print(f"{fault.pointer}: {fault.detail}")
    sys.exit(lent.detail)
print(f"Lent until {until}: {book.title} ({book.year})")
