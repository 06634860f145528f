"""All errors of the service, in one tree.

    StuffError                   500  a bug of the service
      MalformedRequest           400
        BadRequest                    breaks the rules of HTTP
        MalformedPath                 the path is not UTF-8
        MalformedCoding               the body is not gzip, though it says so
        MalformedJSON                 the body is not JSON
        InvalidPrecondition           If-Match or If-None-Match is malformed
      Unauthorized               401  no valid API key or token
      Forbidden                  403  the API key or token lacks the scope
      LocalOnly                  403  without keys: not from this machine, or from a web page
      RouteNotFound              404  no resource at this address
      DocumentNotFound           404  no document under this id
      MethodNotAllowed           405
      NotAcceptable              406  none of the formats that the client accepts
      RequestTimeout             408  the client sends too slowly
      Conflict                   409
        DuplicateKey                  a unique index has the value already
        PatchTestFailed               a JSON Patch tested for another value
        IdempotencyKeyInUse           a request with this key is under way
      FeedGone                   410  the feed cannot resume there
      PreconditionFailed         412  If-Match and the like
      TooLarge                        with the `limit`
        BodyTooLarge             413  more bytes than the service reads
        DocumentTooLarge         413  more BSON than MongoDB stores
        CommitTooLarge           413  more bytes of documents than a commit may hold
        UrlTooLong               414
        HeadersTooLarge          431
      UnsupportedMediaType       415
      Invalid                    422
        InvalidDocument               JSON, but cannot be stored as a document
        InvalidPatch
        InvalidCommit                 a write does not have what its kind needs
        InvalidParameter              a query parameter, named by `parameter`
        InvalidId
        IdempotencyKeyReused          another request had this key
        DocumentRejected              by MongoDB, e.g. by a validator
        SchemaViolation               by the schema of the collection
      Unsupported                501
        DatabaseUnsupported           the database lacks a command or a stage
        FeedUnsupported               the database has no change streams
      Unavailable                503  with Retry-After
        DatabaseUnavailable           a write may or may not have been made
        WriteConflict                 too many others write the document
        Overloaded                    too many requests in flight, or too large ones
        FeedFull                      too many followers of the feed
        TokenKeysUnavailable          tokens cannot be checked
      QueryTimeout               504  the database took too long for a query

    ConfigurationError                a setting that the service cannot start with
    EngineError                       the embedded engine cannot be started

Each `StuffError` is raised where it is known and becomes an RFC 9457 problem in one place,
`service.web.problems`. `slug`, `status` and `title` belong to the type and never change; `detail`
belongs to the occurrence and says what to do. A class without a slug is a family, for `except` and
for what its members share; only the problem types below it are raised.
"""

from service.errors.availability import (
    DatabaseUnavailable,
    DatabaseUnsupported,
    FeedFull,
    FeedGone,
    FeedUnsupported,
    Overloaded,
    QueryTimeout,
    TokenKeysUnavailable,
    Unavailable,
    Unsupported,
    WriteConflict,
)
from service.errors.base import (
    StuffError,
    json_pointer,
    problem_types,
)
from service.errors.documents import (
    AtPointer,
    Conflict,
    DocumentNotFound,
    DocumentRejected,
    DuplicateKey,
    IdempotencyKeyInUse,
    IdempotencyKeyReused,
    Invalid,
    InvalidCommit,
    InvalidDocument,
    InvalidId,
    InvalidParameter,
    InvalidPatch,
    PatchTestFailed,
    PreconditionFailed,
    SchemaViolation,
)
from service.errors.raising import raised_by, raises
from service.errors.requests import (
    BadRequest,
    BodyTooLarge,
    CommitTooLarge,
    DocumentTooLarge,
    Forbidden,
    HeadersTooLarge,
    InvalidPrecondition,
    LocalOnly,
    MalformedCoding,
    MalformedJSON,
    MalformedPath,
    MalformedRequest,
    MethodNotAllowed,
    NotAcceptable,
    RequestTimeout,
    RouteNotFound,
    TooLarge,
    Unauthorized,
    UnsupportedMediaType,
    UrlTooLong,
)
from service.errors.startup import ConfigurationError, EngineError, how_to_install

__all__ = [
    "AtPointer",
    "BadRequest",
    "BodyTooLarge",
    "CommitTooLarge",
    "ConfigurationError",
    "Conflict",
    "DatabaseUnavailable",
    "DatabaseUnsupported",
    "DocumentNotFound",
    "DocumentRejected",
    "DocumentTooLarge",
    "DuplicateKey",
    "EngineError",
    "FeedFull",
    "FeedGone",
    "FeedUnsupported",
    "Forbidden",
    "HeadersTooLarge",
    "IdempotencyKeyInUse",
    "IdempotencyKeyReused",
    "Invalid",
    "InvalidCommit",
    "InvalidDocument",
    "InvalidId",
    "InvalidParameter",
    "InvalidPatch",
    "InvalidPrecondition",
    "LocalOnly",
    "MalformedCoding",
    "MalformedJSON",
    "MalformedPath",
    "MalformedRequest",
    "MethodNotAllowed",
    "NotAcceptable",
    "Overloaded",
    "PatchTestFailed",
    "PreconditionFailed",
    "QueryTimeout",
    "RequestTimeout",
    "RouteNotFound",
    "SchemaViolation",
    "StuffError",
    "TokenKeysUnavailable",
    "TooLarge",
    "Unauthorized",
    "Unavailable",
    "Unsupported",
    "UnsupportedMediaType",
    "UrlTooLong",
    "WriteConflict",
    "how_to_install",
    "json_pointer",
    "problem_types",
    "raised_by",
    "raises",
]
