"""The database: the Motor client, the Beanie model, the driver's faults.

The only room that names Motor and Beanie.
"""

import os

MAX_THREADS = 256
"""The threads of Motor's executor. More than all shares together (`service.mongo.shares`, and
`round_trips` of each lane), so that nobody waits for a thread: each share waits for itself only."""

# Motor reads it when it is imported.
os.environ["MOTOR_MAX_WORKERS"] = str(MAX_THREADS)
