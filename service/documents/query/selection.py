"""Which documents a query asks for, in which order, from where on, and how much of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from service.documents.query.fields import View
from service.documents.query.order import Key, Range, Sort, parse_sort

BY_ID = parse_sort(None)


@dataclass(frozen=True, slots=True)
class Selection:
    """Filter, order and view of a query, and the key of the document after which it starts."""

    filter: Mapping[str, Any] = field(default_factory=dict)
    sort: Sort = BY_ID
    after: Key | None = None
    view: View | None = None

    def conditions(self, range: Range) -> Mapping[str, Any]:
        if not self.filter or not range.condition:
            return self.filter or range.condition
        return {"$and": [self.filter, range.condition]}

    def projection(self) -> dict[str, int] | None:
        return None if self.view is None else self.view.projection(self.sort.paths)
