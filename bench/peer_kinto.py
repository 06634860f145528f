"""Kinto with everything in memory, where everyone may write: what `waitress` serves.

https://docs.kinto-storage.org/en/stable/configuration/settings.html
"""

import logging

from kinto import main

# Else each request that waits for a thread makes a line in the log.
logging.getLogger("waitress.queue").setLevel(logging.ERROR)

app = main(
    {},
    **{
        "kinto.storage_backend": "kinto.core.storage.memory",
        "kinto.cache_backend": "kinto.core.cache.memory",
        "kinto.permission_backend": "kinto.core.permission.memory",
        "kinto.userid_hmac_secret": "bench",
        "kinto.bucket_create_principals": "system.Everyone",
        "kinto.bucket_write_principals": "system.Everyone",
        "kinto.batch_max_requests": "100",
    },
)
