"""An occurrence of each problem, as the service answers it."""

from service.errors import (
    BadRequest,
    BodyTooLarge,
    CommitTooLarge,
    DatabaseUnavailable,
    DatabaseUnsupported,
    DocumentNotFound,
    DocumentRejected,
    DocumentTooLarge,
    DuplicateKey,
    FeedFull,
    Forbidden,
    HeadersTooLarge,
    InvalidCommit,
    InvalidDocument,
    InvalidId,
    InvalidParameter,
    InvalidPatch,
    InvalidPrecondition,
    LocalOnly,
    MalformedCoding,
    MalformedJSON,
    MalformedPath,
    MethodNotAllowed,
    NotAcceptable,
    PatchTestFailed,
    PreconditionFailed,
    RequestTimeout,
    RouteNotFound,
    SchemaViolation,
    StuffError,
    Unauthorized,
    UnsupportedMediaType,
    UrlTooLong,
)
from service.openapi.schemas import EXAMPLE_TAG

# Those that are missing take no arguments.
_EXAMPLES: list[StuffError] = [
    BadRequest("A request must have exactly one Host. Send one."),
    MalformedPath("Percent-encode the id's UTF-8 bytes."),
    MalformedCoding("The gzip body ends early. Send all of it."),
    MalformedJSON(
        "Unexpected end of data: line 1 column 9 (char 8). Send one JSON value in UTF-8."
    ),
    InvalidPrecondition(
        "if-match", 'Give * or a list of entity tags in double quotes, such as "abc", W/"def".'
    ),
    Unauthorized("Send an API key: `Authorization: Bearer stuff_...`."),
    Forbidden("This needs the scope 'write', which the key or token does not have."),
    LocalOnly(
        "This server has no API keys, so it answers only requests for its own machine. Its "
        "operator can create one (stuff key create)."
    ),
    RouteNotFound("Nothing is at this address. See /docs for those that exist."),
    DocumentNotFound("ada"),
    MethodNotAllowed("DELETE", ["GET", "HEAD"]),
    NotAcceptable(
        "'image/png' lists nothing that is available here. Accept application/json or "
        "application/x-ndjson or text/event-stream or application/ejson or application/x-ndejson."
    ),
    RequestTimeout(30),
    DuplicateKey(["email"]),
    PatchTestFailed("The document does not have the value that is tested for. Read it again.", [0]),
    PreconditionFailed(
        "The document has changed. Read it again and apply your change to it.",
        EXAMPLE_TAG.strip('"'),
    ),
    BodyTooLarge(20_000_000),
    DocumentTooLarge(
        "As BSON the document has 17,000,000 bytes; MongoDB stores at most 16,777,216. Split it.",
        16_777_216,
    ),
    CommitTooLarge(67_108_864),
    UrlTooLong(65_536),
    HeadersTooLarge(65_536),
    UnsupportedMediaType(
        "The body's type is 'text/plain'. Send application/json or application/ejson."
    ),
    InvalidDocument(
        "MongoDB cannot store a top-level key that starts with '$'. Rename it or nest it.",
        ["$price"],
    ),
    InvalidPatch("The operation add needs 'value'.", [0]),
    InvalidCommit("A write of the kind 'put' needs 'document'.", ["writes", 0], 0),
    InvalidParameter(
        "filter", "The operator $where is not allowed here; allowed: $and, $nor, $or.", "/$where"
    ),
    InvalidId("The id holds a control character. Use printable characters."),
    DocumentRejected(
        "MongoDB says: Document failed validation (code 121). Change the document accordingly."
    ),
    SchemaViolation([("/year", "Give an integer."), ("", 'The field "title" is missing.')]),
    DatabaseUnsupported(
        "The database does not support what this needs. It says: command not found (code 59)."
    ),
    DatabaseUnavailable("The database took too long. Try again."),
    StuffError("The service failed to answer. Try again, or tell its operator."),
    FeedFull("The feed has as many followers as this server allows. Try again later."),
]
_BY_TYPE = {type(example): example for example in _EXAMPLES}


def example_of(error: type[StuffError]) -> StuffError:
    """An error of this type."""
    try:
        return _BY_TYPE.get(error) or error()  # type: ignore[call-arg]
    except TypeError:
        raise TypeError(f"{error.__name__} needs an example in {__name__}.") from None
