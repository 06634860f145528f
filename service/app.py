"""The application object that servers load: `uvicorn service.app:app`.

Importing this module reads the settings from the environment and tunes the garbage collector of the
process. Programs that want an application of their own call `service.application.create_app`.
"""

from service.application import create_app
from service.observability import logs
from service.server.garbage import tune_garbage_collector

app = create_app()
logs.capture()
tune_garbage_collector()
