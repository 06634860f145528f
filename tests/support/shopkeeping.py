"""The program that owns the database of a shop: it goes on writing, with nothing but the driver."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.patience import TIMEOUT
from tests.support.shop import Shop, customer_id, order

FIRST_NEW = 1000
"""The number of the first order that it adds."""


class Shopkeeping:
    """Adds orders, and counts visits of the first customer, until it is stopped."""

    def __init__(self, shop: Shop) -> None:
        self.rounds = 0
        self._shop = shop
        self._stopped = threading.Event()
        self._progress = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="shop")

    def until_rounds(self, count: int) -> None:
        """Wait until it has done so many rounds."""
        with self._progress:
            assert self._progress.wait_for(lambda: self.rounds >= count, TIMEOUT)

    def _work(self) -> None:
        while not self._stopped.is_set():
            self._shop.orders.insert_one(order(FIRST_NEW + self.rounds))
            self._shop.customers.update_one(
                {"_id": customer_id(0)}, {"$inc": {"visits.2026-12": 1}}
            )
            with self._progress:
                self.rounds += 1
                self._progress.notify_all()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join(TIMEOUT)
        assert not self._thread.is_alive()


@contextmanager
def shopkeeping(shop: Shop) -> Iterator[Shopkeeping]:
    """The program, while the block runs."""
    program = Shopkeeping(shop)
    program.start()
    try:
        yield program
    finally:
        program.stop()
