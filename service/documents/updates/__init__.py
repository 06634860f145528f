"""Update operators: changes of a document that the database makes itself, such as counting.

They are MongoDB's, by an allow-list. What they can leave in a document is what a PUT could store:
JSON values, at most `MAX_DEPTH` levels deep. So `$rename` is left out, whose depth is not known,
and so are paths whose place the database finds (`$`, `$[]`). Only `$inc` and `$mul` can leave more:
a number beyond the range of its type becomes infinite, as in MongoDB.

https://www.mongodb.com/docs/manual/reference/mql/update/
"""

from service.documents.updates.counting import counting
from service.documents.updates.update import MEDIA_TYPE, Update

__all__ = ["MEDIA_TYPE", "Update", "counting"]
