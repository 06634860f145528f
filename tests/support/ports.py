"""Ports to listen on."""

import socket
from contextlib import suppress
from random import SystemRandom


def find_free_port() -> int:
    """A port that no process takes by itself: outgoing connections have others (ip_local_port_range
    of Linux), and each test asks for one by chance, whatever the seed of the run is."""
    for port in SystemRandom().sample(range(20_000, 32_000), 100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("no port is free")
