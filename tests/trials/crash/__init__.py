"""Whether anything is lost when processes are killed.

    python -m tests.trials.crash --kills 20 --seed 1

Writers (PUT, create, If-Match, PATCH, DELETE, imports) and readers use a service of two workers on
its embedded engine, while a worker, the parent or the engine is killed (SIGKILL) at random moments.
Afterwards the history of each document must be linearizable, with all that was acknowledged; what
is read must be whole; and no process and no lock may be left behind.

`--plant` has the harness deny one write in a hundred that was acknowledged: that must be found.
"""
