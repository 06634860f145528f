"""Requests with an idempotency key: they can be repeated, and are carried out once.

What holds, and why:

The work of a request is done once, however often it is sent, in whichever processes.
    The first statement of its transaction writes a record under an id that all repetitions have
    (`mongo.records.begin`). Of two transactions with one record the database commits only one.
A repetition gets the first answer, also if the first one was lost.
    The answer is in the record, which is committed together with the work (`Records.once`).
A request that fails is not recorded.
    Its transaction is aborted, and the record with it.
Whoever sends the same key gets no answer that was for another.
    The id of the record is a hash of who sends it, the method, the path and the key, and the record
    has the `fingerprint` of the rest of the request.
Records do not pile up.
    The database deletes them when they have expired. Where it cannot, no key is accepted.
"""

from service.store.idempotency.records import Keyed, Records, preparing
from service.store.idempotency.single import SingleWrites

__all__ = ["Keyed", "Records", "SingleWrites", "preparing"]
