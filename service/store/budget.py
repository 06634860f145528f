"""A budget of memory: the bytes of documents that all requests of a process hold together."""

from contextvars import ContextVar
from types import TracebackType

from service.errors import Overloaded

FREE = 64 * 1024
"""Bytes of each claim that are not counted: the limit on requests in flight bounds them. So
small documents can be read and written even when large ones have used up the budget."""
CHUNK_OVERHEAD = 64
"""Bytes that a chunk takes in addition to its content: a client can send very small ones."""


class Budget:
    """How many bytes all claims hold, beyond `FREE` each, and how many they may hold."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0

    def claim(self) -> "Claim":
        return Claim(self, _of_request.get())

    def claim_of_request(self) -> "Claim":
        """A claim that lasts as long as the request of this context. Others that are made in its
        course belong to the same request."""
        claim = Claim(self, None)
        _of_request.set(claim)
        return claim


class Claim:
    """What a request holds, released at the end of a `with` block, or by `release`."""

    __slots__ = ("_budget", "_held", "_outer")

    def __init__(self, budget: Budget, outer: "Claim | None") -> None:
        self._budget = budget
        self._outer = outer
        self._held = 0

    def hold(self, size: int) -> None:
        """Hold this many bytes in place of those that were held before.

        Raises `Overloaded` if the budget does not suffice. A request that is alone always gets what
        it needs: other limits bound a single one.
        """
        counted = max(size - FREE, 0)
        if counted == self._held:
            return
        budget = self._budget
        held = budget.held - self._held + counted
        if counted > self._held and held > budget.limit and not self._is_alone():
            raise Overloaded("The server holds as many bytes as it may. Try again shortly.")
        budget.held = held
        self._held = counted

    def _is_alone(self) -> bool:
        own = self._held if self._outer is None else self._held + self._outer._held
        return own == self._budget.held

    def release(self) -> None:
        self.hold(0)

    def __enter__(self) -> "Claim":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()


_of_request: ContextVar[Claim | None] = ContextVar("_of_request", default=None)
