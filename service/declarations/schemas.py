"""The schemas of collections: inline, or in files beside the one that declares them."""

import posixpath
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import orjson

from service.declarations.file import MAX_BYTES, FileFaults
from service.documents import strict_json
from service.documents.published.references import References
from service.documents.schemas import (
    BASE,
    Schema,
    SchemaFault,
    TooCostly,
    check_costs,
    faults_of,
    is_relative,
    references,
)
from service.documents.typed import RESERVED, TypeFault, Types, typed_paths
from service.errors import InvalidDocument, MalformedJSON, json_pointer

MAX_FILES = 100
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_KEYWORD = b'"x-bson"'


def read_schema(file: Path, collection: str, declared: Any) -> Schema:
    """The schema of a collection, which `file` declares. Raises `FileFaults`."""
    uri = urljoin(BASE, collection)
    inline = f"{file.name}#/collections/{collection}/schema"
    resources = _Resources(file.parent, uri, inline)
    resources.add(uri, "", declared)
    resources.check_dialects()
    resources.faults += [
        f"{resources.place(at, fault.path)}: {fault.detail}"
        for at, schema in resources.schemas.items()
        for fault in faults_of(schema)
    ]
    if resources.faults:
        raise FileFaults(*dict.fromkeys(resources.faults))
    try:
        # Before it is compiled, which takes as much of the stack as one schema contains another.
        max_bytes = check_costs(uri, declared, resources.schemas)
    except TooCostly as fault:
        raise FileFaults(f"{resources.place(*fault.node)}: {fault.detail}") from None
    # The files to which others refer come last: a fault is found in its own file first.
    for at, schema in [*resources.schemas.items()][::-1]:
        try:
            compiled = Schema(schema, at, resources.schemas, max_bytes)
        except SchemaFault as fault:
            raise FileFaults(f"{resources.place(at, fault.path)}: {fault.detail}") from None
    # The first one, that is, the collection's.
    _check_document(compiled, resources)
    compiled.types = _types(compiled, resources)
    return compiled


def _check_document(schema: Schema, resources: "_Resources") -> None:
    """Refuse a schema that no document fits: one that allows no objects, or requires what is no
    field, as validators of MongoDB require `_id`. Raises `FileFaults`."""
    references = References(schema.verbatim, schema.documents)
    part, seen = schema.verbatim, set[int]()
    while isinstance(part, dict) and id(part) not in seen:
        seen.add(id(part))
        if "object" not in part.get("type", "object"):
            place = resources.place_of(part, ["type"])
            raise FileFaults(f'{place}: A document is an object. Give "object".')
        for name in RESERVED:
            if name in part.get("required", ()):
                place = resources.place_of(part, ["required"])
                raise FileFaults(f"{place}: {name} is not a field. Take it out.")
        part = references.target(part)


def _types(schema: Schema, resources: "_Resources") -> Types | None:
    """The types of the paths of a collection. Raises `FileFaults`."""
    if not any(_KEYWORD in orjson.dumps(each) for each in resources.schemas.values()):
        return None
    try:
        root = typed_paths(schema.verbatim, References(schema.verbatim, schema.documents))
    except TypeFault as fault:
        place = resources.place_of(fault.schema, fault.path)
        raise FileFaults(f"{place}: {fault.detail}") from None
    return None if root is None else Types(root)


class _Resources:
    """A schema and those that it refers to, by their URI."""

    def __init__(self, folder: Path, uri: str, inline: str) -> None:
        self._folder = folder.resolve()
        self._names = {uri: inline}
        self.schemas: dict[str, Any] = {}
        self.faults: list[str] = []

    def place(self, uri: str, path: Any) -> str:
        name = self._names[uri]
        return f"{name}{'' if '#' in name else '#'}{json_pointer(path)}"

    def place_of(self, schema: Any, path: Sequence[str | int]) -> str:
        """The place below a schema, which is a part of one of these."""
        pending: list[tuple[str, Any, Sequence[str | int]]]
        pending = [(uri, whole, ()) for uri, whole in self.schemas.items()]
        while pending:
            uri, value, at = pending.pop()
            if value is schema:
                return self.place(uri, [*at, *path])
            inside: Iterable[tuple[Any, Any]] = ()
            if isinstance(value, dict | list):
                inside = value.items() if isinstance(value, dict) else enumerate(value)
            pending += [(uri, each, [*at, key]) for key, each in inside]
        raise LookupError(path)

    def add(self, uri: str, beside: str, schema: Any) -> None:
        """Add a schema, which is in the folder `beside`, and all that it refers to."""
        self.schemas[uri] = schema
        base = self._base(uri, schema)
        for reference, path in references(schema):
            try:
                self._follow(reference, base, beside)
            except ValueError as error:
                self.faults.append(f"{self.place(uri, path)}: {error}")

    def check_dialects(self) -> None:
        """Note each file of another version of JSON Schema: its keywords have other meanings."""
        for uri, schema in self.schemas.items():
            dialect = schema.get("$schema", DIALECT) if isinstance(schema, dict) else DIALECT
            if isinstance(dialect, str) and dialect.rstrip("#") != DIALECT:
                self.faults.append(
                    f"{self.place(uri, ['$schema'])}: Schemas are of JSON Schema 2020-12: {DIALECT}"
                )

    def _base(self, uri: str, schema: Any) -> str:
        """What references in the schema are relative to: its own `$id`, if it has one."""
        own = schema.get("$id") if isinstance(schema, dict) else None
        if not isinstance(own, str):
            return uri
        try:
            base = urljoin(uri, own)
        except ValueError as error:
            self.faults.append(f"{self.place(uri, ['$id'])}: {error}.")
            return uri
        if self.schemas.setdefault(base, schema) is not schema:
            self.faults.append(f"{self.place(uri, ['$id'])}: Another schema has this address.")
        self._names.setdefault(base, self._names[uri])
        return base

    def _follow(self, reference: str, base: str, beside: str) -> None:
        """Add the file to which a schema refers. Raises `ValueError`, which says why that cannot
        be."""
        target = urljoin(base, reference)
        if target in self.schemas:
            return  # it is on its way, if not there
        if not is_relative(reference):
            raise ValueError("Only files beside can be referred to, by a relative path.")
        name = posixpath.normpath(posixpath.join(beside, reference))
        found = self._read(name)
        at_its_place = urljoin(BASE, name)
        self._names[target] = self._names[at_its_place] = name
        self.schemas.setdefault(target, found)
        self.add(at_its_place, posixpath.dirname(name), found)

    def _read(self, name: str) -> Any:
        """The JSON in a file. Raises `ValueError`, which says why it cannot be used."""
        if len(set(self._names.values())) > MAX_FILES:
            raise ValueError(f"A schema refers to at most {MAX_FILES} files.")
        try:
            file = (self._folder / name).resolve()
        except RuntimeError:
            raise ValueError(f"{name} is a link to itself.") from None
        if not file.is_relative_to(self._folder):
            raise ValueError(f"{name} is outside of the folder of the file of collections.")
        try:
            if file.stat().st_size > MAX_BYTES:
                raise ValueError(f"{name} has more than {MAX_BYTES:,} bytes.")
            return strict_json.loads(file.read_bytes())
        except OSError as error:
            raise ValueError(f"{name} cannot be read: {error.strerror}.") from None
        except (MalformedJSON, InvalidDocument) as error:
            pointer = getattr(error, "pointer", "")
            raise ValueError(f"{name}#{pointer}: {error.detail}") from None
