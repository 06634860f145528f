"""The story of orders that another program writes, too, by the client of openapi-python-client."""

import os
from datetime import UTC, datetime
from uuid import UUID

from stuff_client import AuthenticatedClient
from stuff_client.api.orders import (
    create_order,
    delete_order,
    get_order,
    list_orders,
    patch_order,
    put_order,
)
from stuff_client.models import (
    Order,
    OrderAddress,
    OrderCreated,
    OrderFields,
    OrderLinesItem,
    OrderPage,
    OrderPatch,
    OrderPaymentsItem,
    Problem,
)

client = AuthenticatedClient(base_url=os.environ["STUFF_URL"], token=os.environ["STUFF_KEY"])

known = "65f0c0de0000000000000005"
order = get_order.sync(known, client=client)
assert isinstance(order, Order)
assert order.field_id == known
assert order.placed == datetime(2024, 2, 1, 14, 0, 0, 5000, tzinfo=UTC)
assert isinstance(order.lines, list)
assert [(line.sku, line.quantity, line.price) for line in order.lines] == [("A-0", 1, "1.10")]
assert isinstance(order.address, OrderAddress)
assert order.address.zip_ == "10115"

fields = OrderFields(
    customer=order.customer,
    placed=datetime(2026, 12, 1, 9, 30, tzinfo=UTC),
    status="new",
    total=12.5,
    version=3,
    lines=[OrderLinesItem(sku="A-1", quantity=2, price="5.00", tags=["gift"])],
    payments=[],
    delivered=None,
)
created = create_order.sync(client=client, body=fields)
assert isinstance(created, OrderCreated)
id = created.field_id
new = get_order.sync_detailed(id, client=client)
assert isinstance(new.parsed, Order)
assert new.parsed.placed == fields.placed
assert new.parsed.lines == fields.lines
assert new.parsed.delivered is None
etag = new.headers["ETag"]

paid = OrderPaymentsItem(
    at=datetime(2026, 12, 2, tzinfo=UTC), amount="12.50", reference=UUID(int=1)
)
patch = OrderPatch(status="paid", payments=[paid])
patched = patch_order.sync(id, client=client, body=patch, if_match=etag)
assert isinstance(patched, Order)
assert patched.status == "paid"
assert patched.payments == [paid]
late = put_order.sync_detailed(id, client=client, body=fields, if_match=etag)
assert late.status_code == 412

fields.customer = "Ada"
lost = put_order.sync_detailed(known, client=client, body=fields)
assert lost.status_code == 422
assert isinstance(lost.parsed, Problem)
assert isinstance(lost.parsed.errors, list)
assert [fault.pointer for fault in lost.parsed.errors] == ["/customer"]

found: list[str] = []
after: str | None = None
while True:
    page = list_orders.sync(client=client, sort="-placed", limit=50, after=after)
    assert isinstance(page, OrderPage)
    found += [item.field_id for item in page.items]
    after = page.next_
    if after is None:
        break
assert {id, known} <= set(found)
assert len(set(found)) == len(found) > 90
assert delete_order.sync_detailed(id, client=client).status_code == 204
