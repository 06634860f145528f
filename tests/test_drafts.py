"""Names and indexes in a file of declarations that is made of what exists."""

from itertools import islice
from typing import Any

import pytest
from bson import ObjectId
from pymongo import MongoClient

from service.declarations import existing_indexes
from service.declarations.indexes import Index
from service.declarations.naming import model_names, path_name
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
