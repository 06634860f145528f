"""All errors of the client, in one tree.

    ClientError
      FileError             the file is damaged, or not what it should be
      KeyUnusable           STUFF_KEY cannot be sent
      ServerError           the server cannot be used
        ServerUnavailable   it does not answer, or says that it cannot now
        RequestRefused      it answers with a problem that a retry would not solve

The message says what happened; commands print it and end with status 1.
"""


class ClientError(Exception):
    """The root of the tree."""


class FileError(ClientError):
    """A JSON array or a compressed file ends early or is damaged."""


class KeyUnusable(ClientError):
    """STUFF_KEY cannot be sent in a header field."""


class ServerError(ClientError):
    """The server cannot be used."""


class ServerUnavailable(ServerError):
    """The server does not answer, or answers that it cannot now, for as long as the client
    waits."""


class RequestRefused(ServerError):
    """The server answers with a problem that a retry would not solve."""
