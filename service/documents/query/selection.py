"""The selection of a query: filter, order, view, and where it starts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from service.documents.query.fields import View
from service.documents.query.order import KeyRange, Sort, SortKey, parse_sort

BY_ID = parse_sort(None)


@dataclass(frozen=True, slots=True)
class Selection:
    """Filter, order and view of a query, and the key of the document after which it starts."""

    filter: Mapping[str, Any] = field(default_factory=dict)
    sort: Sort = BY_ID
    after: SortKey | None = None
    view: View | None = None

    def conditions(self, range: KeyRange) -> Mapping[str, Any]:
        if not self.filter or not range.condition:
            return self.filter or range.condition
        return {"$and": [self.filter, range.condition]}

    def projection(self) -> dict[str, int] | None:
        """The projection: the view, and the fields of the order, which cursors need."""
        if self.view is None:
            return None
        # The latter as a whole: for `a.b` the database would leave out elements of `a` that are not
        # objects, although they count in the order.
        return self.view.projection(path.partition(".")[0] for path in self.sort.paths)
