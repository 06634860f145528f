"""The garbage collector of a process that serves."""

import gc


def tune_garbage_collector() -> None:
    """Keep collections short, because each one stops all requests. Call this when the application
    has been made.

    Modules and schemas live as long as the process. A collection that examines them takes tens of
    milliseconds, so they are frozen, and objects that live as long as a connection are examined
    less often.
    """
    gc.unfreeze()  # what is left of the application before this one, after SIGHUP
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 20, 100)
