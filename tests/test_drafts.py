"""Names and indexes in a file of declarations that is made of what exists."""

import json
from itertools import islice
from typing import Any

import bson
import pytest
from bson import ObjectId
from pymongo import MongoClient

from service.declarations import existing_indexes
from service.declarations.drafts import Drafts
from service.declarations.indexes import Index
from service.declarations.naming import model_names, path_name
from service.declarations.writing import WIDTH, written
from service.documents.inference import Inferred
from service.errors import ConfigurationError
from service.settings import Settings


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("orders", "orders"),
        ("a__b", "a__b"),
        ("OrderItems", "order_items"),
        ("Invoices.2026", "invoices_2026"),
        ("2026", "collection_2026"),
        ("Заказы", "collection"),
        ("docs", "docs_2"),
        ("stuff", "stuff_2"),
        ("x" * 100, "x" * 60),
    ],
)
def test_collections_keep_their_names_where_paths_may_have_them(name: str, expected: str) -> None:
    assert path_name(name, ()) == expected


def test_no_two_collections_have_one_path() -> None:
    assert path_name("Orders", {"orders"}) == "orders_2"
    assert path_name("orders!", {"orders", "orders_2"}) == "orders_3"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("orders", "Order"),
        ("order_items", "OrderItem"),
        ("categories", "Category"),
        ("movies", "Movie"),
        ("addresses", "Address"),
        ("status", "Status"),
        ("OrderStatus", "OrderStatus"),
        ("boxes", "Box"),
        ("people", "Person"),
        ("is", "Is"),
        ("2026", "Collection2026"),
        ("Заказы", "Collection"),
    ],
)
def test_types_have_the_singular_of_the_collection(name: str, expected: str) -> None:
    assert next(model_names(name)) == expected


def test_there_is_always_another_name_for_a_type() -> None:
    assert [*islice(model_names("orders"), 4)] == ["Order", "Orders", "Orders2", "Orders3"]


def test_indexes_of_the_database_are_those_of_the_file(
    mongo: MongoClient[dict[str, Any]], settings: Settings
) -> None:
    books = mongo[settings.database].books
    declared = [
        Index(keys={"a": 1, "b.c": -1}, unique=True, sparse=True),
        Index(keys={"d": 1}, expire_after=0),
        Index(keys={"e": 1}, name="own", partial_filter={"e": {"$gt": 5}}),
    ]
    for index in declared:
        books.create_index(list(index.keys.items()), **index.options())
    found = books.index_information()
    del found["_id_"]
    assert [existing_indexes.declared(name, each) for name, each in found.items()] == declared


@pytest.mark.parametrize(
    "description",
    [
        {"key": [("a", "2dsphere")], "2dsphereIndexVersion": 3},
        {"key": [("_fts", "text"), ("_ftsx", 1)], "weights": {"a": 1}},
        {"key": [("$**", 1)]},
        {"key": [("a", 1)], "collation": {"locale": "de"}},
        {"key": [("a", 1)], "hidden": True},
        {"key": [("a", 1)], "partialFilterExpression": {"a": ObjectId()}},
        {"key": [("a", 1)], "expireAfterSeconds": float("nan")},
    ],
)
def test_indexes_that_the_file_cannot_have_are_refused(description: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"kind|options|values"):
        existing_indexes.declared("name", {"v": 2} | description)


def test_numbers_of_other_programs_are_directions() -> None:
    found = existing_indexes.declared("a_1", {"v": 2, "key": [("a", 1.0)], "hidden": False})
    assert found == Index(keys={"a": 1})


def test_a_document_that_does_not_fit_is_told_with_its_place(settings: Settings) -> None:
    """What is inferred always fits; this is how a fault in that would be found."""
    drafts = Drafts(settings)
    wrong = {"type": "object", "properties": {"a": {"type": "integer"}}}
    name, _ = drafts.add("books", Inferred(wrong, "string", True, ()), {})
    documents = [bson.encode({"_id": n, "a": value}) for n, value in enumerate([1, "x"])]
    assert drafts.faults(name, documents[:1]) == []
    assert drafts.faults(name, documents) == ["/a: Give an integer."]
    drafts.drop_schema(name)
    assert drafts.faults(name, documents) == []
    drafts.check()


def test_no_two_collections_have_types_of_one_name(settings: Settings) -> None:
    drafts = Drafts(settings)
    schema = {
        "type": "object",
        "properties": {"page": {"type": "object", "properties": {"n": {"type": "integer"}}}},
    }
    for name in ("order", "orders", "Orders", "order_pages", "pages", "documents", "Заказы"):
        drafts.add(name, Inferred(schema, "string", True, ()), {})
    drafts.check()


def test_a_file_that_the_service_could_not_read_is_refused(settings: Settings) -> None:
    drafts = Drafts(settings)
    properties = {f"{n:0100}": {"type": "string"} for n in range(2000)}
    schema = {"type": "object", "properties": properties, "required": [*properties]}
    for name in ("a", "b", "c"):
        drafts.add(name, Inferred(schema, "string", True, ()), {})
    with pytest.raises(ConfigurationError, match="Name fewer collections"):
        drafts.check()


def test_what_is_short_is_written_in_one_line() -> None:
    value = {"keys": {"a": 1}, "list": [{"n": number, "text": "x" * 60} for number in range(2)]}
    value |= {"ü": "\x1b", "empty": []}
    text = written(value)
    assert json.loads(text) == value
    assert '\n  "keys": {"a": 1},\n' in text
    assert max(map(len, text.splitlines())) <= WIDTH
    assert "\x1b" not in text
