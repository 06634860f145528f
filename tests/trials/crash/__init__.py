"""Whether anything is lost when processes are killed and the database fails.

    python -m tests.trials.crash --rounds 20 --seed 1

Writers (PUT, create, If-Match, PATCH, DELETE, imports) and readers use a service on its embedded
engine. In each round, one thing happens at a random moment:

- with two workers, a worker, the parent or the engine is killed (SIGKILL);
- with one worker, commands of the database are blocked for longer than an operation may take, or
  fail with a transient error, or the engine is killed while they are blocked.

Afterwards the history of each document must be linearizable, with all that was acknowledged (but
for what was seen in the last moment of an engine that was killed, of writes that it had not yet
acknowledged); with
one worker, no write that was answered 503 may have undone a later one; what is read must be whole;
and no process and no lock may be left behind. Requests with an `Idempotency-Key`, which clients
repeat until they are answered, must have been carried out once each.

`--plant` has the harness deny one write in a hundred that was acknowledged: that must be found.
"""
