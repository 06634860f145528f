"""The socket that the service listens on."""

import errno
import os
import socket

from service.errors import ConfigurationError


def bound_socket(host: str, port: int) -> socket.socket:
    """A socket bound to the address, for worker processes to inherit. Raises `ConfigurationError`,
    which names the port or the host."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except (OSError, UnicodeError) as error:
        listener.close()
        raise _fault(host, port, error) from None
    listener.set_inheritable(True)
    return listener


def _fault(host: str, port: int, error: Exception) -> ConfigurationError:
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.EADDRINUSE:
        return ConfigurationError(
            "port",
            f"Port {port} of {host} is in use by another process. Choose another one with --port "
            "(STUFF_PORT; make run PORT=...), or 0 for any that is free.",
        )
    if number in (errno.EACCES, errno.EPERM):
        return ConfigurationError("port", f"This user may not listen on port {port}.")
    reason = os.strerror(number) if number is not None and number > 0 else "there is no such name"
    return ConfigurationError("host", f"{host!r} is not an address of this machine: {reason}.")
