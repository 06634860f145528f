"""How the published schemas of a collection are made from the declared one."""

from service.documents.published.names import (
    Names,
    labelled,
    name_of_reference,
    pascal,
)
from service.documents.published.references import References, Schema
from service.documents.published.shapes import (
    Part,
    alternatives_of,
    items_of,
    members_of,
    parts_of,
    types_of,
)
from service.documents.published.unions import merged, union
from service.documents.published.values import (
    ANY_OBJECT,
    Published,
    annotations_of,
    bounds_of,
    nullable,
    plain,
    scalar,
    without_annotations,
)

MAX_VARIANTS = 24
SILENT = frozenset(
    "title description default examples deprecated readOnly writeOnly x-bson".split()  # noqa: SIM905
    + "$ref $comment $defs definitions $schema $id $anchor".split()  # noqa: SIM905
)
"""Keywords that a value need not match, beside a `$ref`."""
UNIONS = {"type", "anyOf", "oneOf"}
ALL_TYPES = types_of([])


class Publisher:
    """Publishes values, and keeps those that need a name as components."""

    suffix = ""

    def __init__(self, references: References, names: Names, name: str) -> None:
        """`name` starts the names of all components."""
        self._references = references
        self._names = names
        self._name = name
        self._known: dict[int, Published] = {}
        self._open: dict[int, str] = {}
        """The names of the schemas that are being published, by their identities."""
        self._recursive: set[int] = set()

    def root(
        self,
        schema: Schema,
        name: str,
        own: dict[str, Published] | None = None,
        required: tuple[str, ...] = (),
    ) -> None:
        """Adds the component of a whole document, which is always an object. `own` are its members
        that are not fields."""
        schema, _ = self._target(schema, "")
        parts = parts_of(schema, self._references)
        key = id(schema)
        if types_of(parts) == ["object"] and key not in self._known:
            self._open[key] = name
        self._names.reserve(name)
        variants = self._variants([{"type": "object"}, *parts])
        documents = [self._document(variant, own or {}, required) for variant, _ in variants]
        made = documents[0] if len(documents) == 1 else merged(documents)
        reference = self._names.define(name, self._annotated(made, parts))
        if self._open.pop(key, None):
            self._known[key] = reference

    def value(self, schema: Schema, stem: str) -> Published:
        """The published schema of any value; `stem` names it if it needs a name."""
        schema, stem = self._target(schema, stem)
        if not isinstance(schema, dict):
            return {}
        key = id(schema)
        if key in self._known:
            return self._known[key]
        if key in self._open:
            self._recursive.add(key)
            return self._names.reference(self._open[key])
        self._open[key] = self._names.reserve(self._names.unused(stem + self.suffix))
        parts = parts_of(schema, self._references)
        made = self._annotated(self._alternatives(parts, stem, key), parts)
        name = self._open.pop(key)
        if "properties" in made:
            made = self._names.define(name, made)
        elif key in self._recursive:
            # An array of such arrays, for example: few languages have types for it.
            self._names.define(name, {"description": "Any JSON value."})
            made = {}
        else:
            self._names.release(name)
        self._known[key] = made
        return made

    def _target(self, schema: Schema, stem: str) -> tuple[Schema, str]:
        """What a schema means that is nothing but a `$ref`."""
        seen: list[Schema] = []
        while isinstance(schema, dict) and "$ref" in schema and not set(schema) - SILENT:
            if any(schema is each for each in seen):
                return True, stem
            seen.append(schema)
            stem = self._name + (name_of_reference(schema["$ref"]) or "Value")
            schema = self._references.target(schema)
        return schema, stem

    def _alternatives(self, parts: list[Part], stem: str, key: int) -> Published:
        """The union of the branches of the schema, and of the types of each."""
        branches = alternatives_of(parts)
        if branches and self._says_no_more(parts, branches):
            each = [self.value(branch, stem + label) for branch, label in labelled(branches)]
            return self._union(each, stem, key)
        made: list[Published] = []
        variants = self._variants(parts)
        for variant, labels in variants:
            types = types_of(variant)
            if types in ([], ALL_TYPES):
                return {}
            own = stem + labels
            made += [self._kind(kind, variant, own) for kind in types]
        return self._union(made, stem, key)

    def _says_no_more(self, parts: list[Part], branches: list[Schema]) -> bool:
        """Whether the branches of the union say by themselves what the schema says."""
        if any(set(part) - SILENT - UNIONS for part in parts):
            return False
        types = [types_of(parts_of(branch, self._references)) for branch in branches]
        return ALL_TYPES not in types or not any("type" in part for part in parts)

    def _union(self, alternatives: list[Published], stem: str, key: int | None) -> Published:
        """The union; it needs a name, if it is an object that may not be null."""
        made, is_nullable = union(alternatives, self._names.components)
        if is_nullable or key is None:
            made = self._named(made, stem, key)
        return nullable(made) if is_nullable else made

    def _named(self, published: Published, stem: str, key: int | None) -> Published:
        if "properties" not in published:
            return published
        name = stem + self.suffix
        if key is not None and name == self._open[key] and key not in self._recursive:
            self._open[key] = self._names.reserve(self._names.unused(name))
            return self._names.define(name, published)
        return self._names.add(name, published)

    def _kind(self, kind: str, parts: list[Part], stem: str) -> Published:
        if kind == "object":
            return self._object(parts, stem)
        return self._array(parts, stem) if kind == "array" else scalar(parts, kind)

    def _document(
        self, parts: list[Part], own: dict[str, Published], required: tuple[str, ...]
    ) -> Published:
        made = self._object(parts, self._name)
        fields = {
            name: each
            for name, each in made.get("properties", {}).items()
            if name not in ("_id", "_stuff")
        }
        if not fields:
            return dict(ANY_OBJECT)
        needed = [*required, *(each for each in made.get("required", ()) if each in fields)]
        made["properties"] = own | fields
        made.pop("required", None)
        return made | ({"required": needed} if needed else {})

    def _object(self, parts: list[Part], stem: str) -> Published:
        members = members_of(parts)
        properties = {
            name: self._member(schema, stem + (pascal(name) or "Member"))
            for name, schema in members.properties.items()
        }
        if not properties:
            others = [self._member(each, stem + "Value") for each in members.others or ()]
            each = self._union(others, stem + "Value", None)
            return {"type": "object", "additionalProperties": each or True}
        made: Published = {"type": "object", "properties": properties}
        if required := [each for each in members.required if each in properties]:
            made["required"] = required
        if not members.are_closed:
            made["additionalProperties"] = True
        return made

    def _array(self, parts: list[Part], stem: str) -> Published:
        items = [self.value(one, stem + "Item") for one in items_of(parts) or ()]
        each = plain(self._union(items, stem + "Item", None))
        return {"type": "array", "items": each} | bounds_of(parts, "array")

    def _member(self, schema: Schema, stem: str) -> Published:
        return plain(self.value(schema, stem))

    def _annotated(self, published: Published, parts: list[Part]) -> Published:
        if "$ref" in published or not published:
            return published
        return without_annotations(published) | annotations_of(parts)

    def _variants(self, parts: list[Part]) -> list[tuple[list[Part], str]]:
        """The parts with each branch of their unions, and what labels it."""
        found = [(parts, "")]
        while True:
            unions = (
                (n, branches)
                for n, (each, _) in enumerate(found)
                if (branches := alternatives_of(each))
            )
            if (first := next(unions, None)) is None:
                return found
            position, branches = first
            each, prefix = found[position]
            base = [_without_alternatives(part) for part in each]
            if len(found) + len(branches) > MAX_VARIANTS:
                found[position] = (base, prefix)
                continue
            found[position : position + 1] = [
                (base + parts_of(branch, self._references), prefix + label)
                for branch, label in labelled(branches)
            ]


class PatchPublisher(Publisher):
    """Publishes merge patches (RFC 7396): every member is optional, and null removes it."""

    suffix = "Patch"

    def __init__(self, references: References, names: Names, name: str, whole: Publisher) -> None:
        """`whole` publishes items of arrays, which a patch replaces as a whole."""
        super().__init__(references, names, name)
        self._whole = whole

    def _object(self, parts: list[Part], stem: str) -> Published:
        made = super()._object(parts, stem)
        made.pop("required", None)
        return made

    def _array(self, parts: list[Part], stem: str) -> Published:
        return self._whole._array(parts, stem)

    def _member(self, schema: Schema, stem: str) -> Published:
        return plain(nullable(self.value(schema, stem)))


def _without_alternatives(part: Part) -> Part:
    return {key: value for key, value in part.items() if key not in ("anyOf", "oneOf")}
