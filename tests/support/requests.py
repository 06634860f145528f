"""Requests of every kind, for what has to hold of each."""

from typing import TypeAlias

Sent: TypeAlias = tuple[str, str, dict[str, str], str | None]
"""Method, path, header fields, body."""

JSON, NDJSON = {"Content-Type": "application/json"}, {"Content-Type": "application/x-ndjson"}
MERGE = {"Content-Type": "application/merge-patch+json"}
OPERATORS = {"Content-Type": "application/vnd.stuff.update-operators+json"}
REQUESTS: list[Sent] = [
    ("GET", "/stuff/a", {}, None),
    ("GET", "/stuff/a?fields=n", {}, None),
    ("PUT", "/stuff/a", JSON, "{}"),
    ("PUT", "/stuff/a", JSON | {"If-Match": "*"}, "{}"),
    ("PATCH", "/stuff/a", MERGE, '{"n": 2}'),
    ("PATCH", "/stuff/a", OPERATORS, '{"$inc": {"n": 1}}'),
    ("PATCH", "/stuff/a", OPERATORS | {"If-Match": "*"}, '{"$inc": {"n": 1}}'),
    ("DELETE", "/stuff/b", {}, None),
    ("GET", "/stuff", {}, None),
    ("GET", "/stuff?count=true&sort=n", {}, None),
    ("GET", "/stuff", {"Accept": "application/x-ndjson"}, None),
    ("POST", "/stuff", JSON, "{}"),
    ("POST", "/stuff", NDJSON, '{"_id": "c"}\n{"_id": "d"}'),
    ("DELETE", '/stuff?filter={"none": 1}', {}, None),
]
"""Each kind of request once; all use the database."""
