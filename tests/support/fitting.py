"""Random schemas together with documents that fit them."""

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from tests.support.drawing import NAMES, SCALARS, Drawing

SMALL = SCALARS | st.lists(SCALARS, max_size=3) | st.dictionaries(NAMES, SCALARS, max_size=3)
VALUES = st.one_of(
    SCALARS,
    st.lists(SCALARS, min_size=2, max_size=3),
    st.lists(SMALL, max_size=3),
    st.dictionaries(NAMES, SCALARS, min_size=2, max_size=3),
    st.dictionaries(NAMES, SMALL, max_size=3),
)
DOCUMENTS = st.dictionaries(NAMES, VALUES, min_size=1, max_size=4)


@dataclass(frozen=True)
class Fitted:
    """A schema, documents that fit it, and others, of which some do."""

    schema: dict[str, Any]
    documents: list[dict[str, Any]]
    others: list[dict[str, Any]]


@st.composite
def fitted(draw: st.DrawFn) -> Fitted:
    documents = draw(st.lists(DOCUMENTS, min_size=1, max_size=2))
    drawing = Drawing(draw)
    schema = drawing.document(documents)
    others = draw(st.lists(DOCUMENTS, max_size=3))
    for document in documents:
        others.append(document | draw(DOCUMENTS))
        for name in document:
            others.append({key: value for key, value in document.items() if key != name})
    return Fitted(schema | {"$defs": drawing.defs}, documents, others)


def names_in(schema: Any) -> set[str]:
    """All names in the schema, those of its keywords among them."""
    if isinstance(schema, dict):
        return set(schema).union(*map(names_in, schema.values()))
    return set[str]().union(*map(names_in, schema)) if isinstance(schema, list) else set()
