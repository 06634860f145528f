"""The database: the Motor client, the Beanie model, the driver's errors.

The only room that names the driver: Motor, Beanie and PyMongo. Others only name `bson`; and
`settings.rules` has the driver check a URI.
"""

import os

MAX_THREADS = 256
"""The threads of Motor's executor. More than all shares together (`service.mongo.shares`, and
`ROUND_TRIPS` of each lane), so that no call waits for a thread: each share only waits for
itself."""

# Motor reads it when it is imported.
os.environ["MOTOR_MAX_WORKERS"] = str(MAX_THREADS)
