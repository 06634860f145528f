"""What a database refuses.

The codes are those of
https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
"""

BAD_VALUE = 2
UNAUTHORIZED = 13
FAILED_TO_PARSE = 9
TYPE_MISMATCH = 14
ILLEGAL_OPERATION = 20
INVALID_LENGTH = 16
COMMAND_NOT_FOUND = 59
INVALID_OPTIONS = 72
NOT_IN_TRANSACTIONS = 263
API_VERSION = 322
MISSING_FIELD = 40414
UNKNOWN_FIELD = 40415


class Refusal(Exception):
    """A command that a database does not accept, and the code with which it says so."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
