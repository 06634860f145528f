"""python-eve with documents of any shape at `/stuff/{id}`: what `waitress` serves.

Its settings are the defaults, but for text ids, and no entity tags: with them a `PUT` needs an
`If-Match`. Of a write concern it passes `w` alone, so that it never waits for a journal itself.

https://docs.python-eve.org/en/stable/config.html
"""

import logging
import os

from eve import Eve

# Else each request that waits for a thread makes a line in the log.
logging.getLogger("waitress.queue").setLevel(logging.ERROR)

app = Eve(
    settings={
        "MONGO_URI": os.environ["MONGODB_URI"],
        "MONGO_DBNAME": os.environ["DATABASE"],
        "IF_MATCH": False,
        "ITEM_METHODS": ["GET", "PUT"],
        "DOMAIN": {
            "stuff": {
                "datasource": {"source": os.environ["COLLECTION"]},
                "schema": {"_id": {"type": "string"}},
                "item_url": 'regex("[^/]+")',
                "allow_unknown": True,
            }
        },
    }
)
