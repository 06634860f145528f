"""The query language, as `service.documents.query` checks it."""

from docs._reference.markdown import code, codes, document, table
from service.documents.query import fields, filters, order, patterns, steps
from service.routers.collection import MAX_PAGE_SIZE, PAGE_SIZE

INTRODUCTION = """\
`filter` is a JSON object in the [query language of
MongoDB](https://www.mongodb.com/docs/manual/reference/mql/query-predicates/), of which these
operators are allowed. Whatever else begins with `$` is refused with 422, with a JSON Pointer to its
place in the filter. [Find documents](../how-to/query.md) shows how to use it."""

TOP = {
    "$and": ("an array of filters", "All of the filters match."),
    "$or": ("an array of filters", "One of the filters matches, or more."),
    "$nor": ("an array of filters", "None of the filters matches."),
}
OPERATORS = {
    "$eq": ("a value", "The field has this value, or is an array that contains it."),
    "$ne": ("a value", "The opposite of `$eq`; a missing field matches."),
    "$gt": ("a value", "The field is greater, and of the same type."),
    "$gte": ("a value", "The field is greater or equal, and of the same type."),
    "$lt": ("a value", "The field is less, and of the same type."),
    "$lte": ("a value", "The field is less or equal, and of the same type."),
    "$in": ("an array of values", "The field has one of these values."),
    "$nin": ("an array of values", "The opposite of `$in`; a missing field matches."),
    "$exists": ("true or false", "The field exists, even as null; or it does not."),
    "$type": ("the name of a BSON type, its number, or an array", "The type of the field."),
    "$all": ("an array of values or `$elemMatch`", "The field is an array that has all of these."),
    "$elemMatch": ("a filter or operators", "One element of the array matches all of it."),
    "$size": ("a whole number", "The field is an array of this length."),
    "$mod": ("[divisor, remainder]", "The field divided by the divisor leaves the remainder."),
    "$regex": ("a pattern", "The field is a string that the pattern matches."),
    "$options": ("some of the letters i, m, s", "How `$regex` matches."),
    "$not": ("operators", "They do not match; a missing field matches."),
}

VALUES = """\
## Values

In a collection whose schema [types a path](../explanation/collections.md#bson-types) (`x-bson`), a
string there stands for a value of that type: `{"due": {"$lt": "2026-12-01T00:00:00Z"}}` compares
with dates. Any other value is JSON, or canonical or relaxed
[Extended JSON](https://www.mongodb.com/docs/manual/reference/mongodb-extended-json/) for types that
JSON lacks, such as `{"$date": "2026-01-01T00:00:00Z"}` and `{"$oid": "..."}`: """

SORT = """\
## Order

`sort` has names of fields, separated by commas; a `-` makes one descending: `-year,name`. Values of
different types have [MongoDB's
order](https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/), and a missing
field counts as null. `_id` is always the last field, so that no two documents are equal."""

LIMITS = "## Limits"


def page() -> str:
    missing = filters.OPERATORS.keys() ^ OPERATORS.keys()
    if missing:
        raise ValueError(f"Explain these operators here, or no longer: {sorted(missing)}.")
    head = ["operator", "takes", "meaning"]
    limits = [
        ["size of a filter", f"{filters.MAX_BYTES:,} bytes"],
        ["levels of operators that contain conditions", str(filters.MAX_LEVELS)],
        ["length of a pattern", f"{patterns.MAX_LENGTH} characters"],
        [
            "steps that patterns may take for each character of a text, on the embedded engine",
            str(steps.MAX_STEPS),
        ],
        ["fields to sort by", str(order.MAX_SORT_FIELDS)],
        [
            "elements of arrays that a document is sorted by, times the fields of the order",
            f"{order.MAX_VALUES:,}",
        ],
        ["fields in `fields`", str(fields.MAX_FIELDS)],
        ["documents in a page", f"{MAX_PAGE_SIZE:,} ({PAGE_SIZE} by default)"],
    ]
    return document(
        "Query language",
        INTRODUCTION,
        "## Operators that combine filters",
        table(head, [[code(name), *said] for name, said in TOP.items()]),
        "## Operators on a field",
        table(head, [[code(name), *said] for name, said in OPERATORS.items()]),
        VALUES + codes(sorted(filters.LITERALS)) + ".",
        SORT,
        LIMITS,
        table(["what", "at most"], limits),
    )
