"""The commands that MongoDB 6, 7, 8 and mongos accept: their fields and the types of these.

A field is here only if all of them accept it from any client: not what one version has added, nor
what members of a cluster say to one another. It holds for the commands that the service and its
driver send; `command_rules` adds how fields depend on one another.
"""

from collections.abc import Mapping

from tests.support.database.command import Command, command
from tests.support.database.fields import ANY_OTHER, Fields

# https://www.mongodb.com/docs/manual/reference/command/ and, for what they share,
# https://github.com/mongodb/specifications/blob/master/source/message/OP_MSG.md
GENERIC: Fields = {
    "$db": "string",
    "lsid": "document",  # https://www.mongodb.com/docs/manual/reference/server-sessions/
    "$clusterTime": "document",
    "$readPreference": "document",  # https://www.mongodb.com/docs/manual/core/read-preference/
    "txnNumber": "long",  # https://www.mongodb.com/docs/manual/core/retryable-writes/
    "startTransaction": "bool",  # https://www.mongodb.com/docs/manual/core/transactions/
    "autocommit": "bool",
    "readConcern": "document",  # https://www.mongodb.com/docs/manual/reference/read-concern/
    "writeConcern": "document",  # https://www.mongodb.com/docs/manual/reference/write-concern/
    "maxTimeMS": "count",
    "comment": "any",
    "apiVersion": "string",  # https://www.mongodb.com/docs/manual/reference/stable-api/
    "apiStrict": "bool",
    "apiDeprecationErrors": "bool",
}

HELLO: Fields = {  # whose fields drivers add to, and servers do not mind
    "helloOk": "bool",
    "client": "document",
    "compression": "array",
    "saslSupportedMechs": "string",
    "speculativeAuthenticate": "document",
    "topologyVersion": "document",
    "maxAwaitTimeMS": "count",
    "loadBalanced": "bool",
    ANY_OTHER: "any",
}

COMMANDS: Mapping[str, Command] = {
    "hello": command("hello", fields=HELLO),
    "ismaster": command("hello", fields=HELLO),
    "isMaster": command("hello", fields=HELLO),
    "ping": command("ping", fields={"ping": "any"}),
    "buildInfo": command("buildInfo", fields={"buildInfo": "any"}),
    "buildinfo": command("buildInfo", fields={"buildinfo": "any"}),
    "endSessions": command("endSessions", fields={"endSessions": "documents"}),
    "find": command(
        "find",
        fields={
            "find": "string|uuid",
            "filter": "document",
            "sort": "document",
            "projection": "document",
            "hint": "string|document",
            "skip": "count",
            "limit": "count",
            "batchSize": "count",
            "singleBatch": "bool",
            "max": "document",
            "min": "document",
            "returnKey": "bool",
            "showRecordId": "bool",
            "tailable": "bool",
            "awaitData": "bool",
            "noCursorTimeout": "bool",
            "allowPartialResults": "bool",
            "collation": "document",
            "allowDiskUse": "bool",
            "let": "document",
        },
        takes_read_concern=True,
        in_transactions=True,
    ),
    "getMore": command(
        "getMore",
        "collection",
        fields={"getMore": "long", "collection": "string", "batchSize": "integer"},
        in_transactions=True,
    ),
    "killCursors": command(
        "killCursors",
        "cursors",
        fields={"killCursors": "string", "cursors": "longs"},
        in_transactions=True,
    ),
    "aggregate": command(
        "aggregate",
        "pipeline",
        fields={
            "aggregate": "string|number",
            "pipeline": "documents",
            "cursor": "document",
            "explain": "bool",
            "allowDiskUse": "bool",
            "bypassDocumentValidation": "bool",
            "collation": "document",
            "hint": "string|document",
            "let": "document",
        },
        takes_read_concern=True,
        takes_write_concern=True,
        in_transactions=True,
    ),
    "count": command(
        "count",
        fields={
            "count": "string|uuid",
            "query": "document",
            "limit": "integer",
            "skip": "count",
            "hint": "string|document",
            "collation": "document",
        },
        takes_read_concern=True,
    ),
    "distinct": command(
        "distinct",
        "key",
        fields={
            "distinct": "string|uuid",
            "key": "string",
            "query": "document",
            "collation": "document",
        },
        takes_read_concern=True,
        in_transactions=True,
    ),
    "insert": command(
        "insert",
        "documents",
        fields={
            "insert": "string",
            "documents": "documents",
            "ordered": "bool",
            "bypassDocumentValidation": "bool|number",
        },
        takes_write_concern=True,
        in_transactions=True,
        retryable=True,
    ),
    "update": command(
        "update",
        "updates",
        fields={
            "update": "string",
            "updates": "documents",
            "ordered": "bool",
            "bypassDocumentValidation": "bool|number",
            "let": "document",
        },
        takes_write_concern=True,
        in_transactions=True,
        retryable=True,
    ),
    "delete": command(
        "delete",
        "deletes",
        fields={
            "delete": "string",
            "deletes": "documents",
            "ordered": "bool",
            "let": "document",
        },
        takes_write_concern=True,
        in_transactions=True,
        retryable=True,
    ),
    "findAndModify": command(
        "findAndModify",
        fields={
            "findAndModify": "string",
            "query": "document",
            "sort": "document",
            "remove": "bool|number",
            "update": "document|array",
            "new": "bool|number",
            "fields": "document",
            "upsert": "bool|number",
            "bypassDocumentValidation": "bool|number",
            "collation": "document",
            "arrayFilters": "documents",
            "hint": "string|document",
            "let": "document",
        },
        takes_write_concern=True,
        in_transactions=True,
        retryable=True,
    ),
    "explain": command("explain", fields={"explain": "document", "verbosity": "string"}),
    "createIndexes": command(
        "createIndexes",
        "indexes",
        fields={
            "createIndexes": "string",
            "indexes": "documents",
            "commitQuorum": "string|integer",
        },
        takes_write_concern=True,
        in_transactions=True,
    ),
    "listIndexes": command(
        "listIndexes", fields={"listIndexes": "string|uuid", "cursor": "document"}
    ),
    "dropIndexes": command(
        "dropIndexes",
        "index",
        fields={"dropIndexes": "string", "index": "string|document|array"},
        takes_write_concern=True,
    ),
    "listCollections": command(
        "listCollections",
        fields={
            "listCollections": "any",
            "filter": "document",
            "nameOnly": "bool",
            "authorizedCollections": "bool",
            "cursor": "document",
        },
    ),
    "listDatabases": command(
        "listDatabases",
        fields={
            "listDatabases": "any",
            "filter": "document",
            "nameOnly": "bool",
            "authorizedDatabases": "bool",
        },
        admin_only=True,
    ),
    "create": command(
        "create",
        fields={
            "create": "string",
            "capped": "bool|number",
            "size": "count",
            "max": "count",
            "validator": "document",
            "validationLevel": "string",
            "validationAction": "string",
            "collation": "document",
            "changeStreamPreAndPostImages": "document",
        },
        takes_write_concern=True,
        in_transactions=True,
    ),
    "drop": command("drop", fields={"drop": "string"}, takes_write_concern=True),
    "dropDatabase": command(
        "dropDatabase", fields={"dropDatabase": "number"}, takes_write_concern=True
    ),
    "commitTransaction": command(
        "commitTransaction",
        fields={"commitTransaction": "any", "recoveryToken": "document"},
        takes_write_concern=True,
        in_transactions=True,
        admin_only=True,
    ),
    "abortTransaction": command(
        "abortTransaction",
        fields={"abortTransaction": "any", "recoveryToken": "document"},
        takes_write_concern=True,
        in_transactions=True,
        admin_only=True,
    ),
}

SEQUENCES = {"insert": "documents", "update": "updates", "delete": "deletes"}
"""What may be sent as a document sequence instead of an array."""
