"""The application object that servers load: `uvicorn service.app:app`.

Importing this module reads the settings from the environment and tunes the garbage collector of the
process. Programs that want an application of their own call `service.application.create_app`.
"""

import gc

from service.application import create_app
from service.observability import logs


def tune_garbage_collector() -> None:
    """Keep collections short, because each one stops all requests.

    Modules and schemas live as long as the process. A collection that examines them takes tens of
    milliseconds, so they are frozen, and objects that live as long as a connection are examined
    less often.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 20, 100)


app = create_app()
logs.capture()
tune_garbage_collector()
