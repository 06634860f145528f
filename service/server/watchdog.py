"""Runs a command that must not outlive its parent: `python -m service.server.watchdog COMMAND ...`.

The parent holds the other end of this process's standard input and writes nothing. However the
parent ends, by SIGKILL too, the pipe closes. Then the command gets SIGTERM, and SIGKILL if it
ignores that. Exits with the command's status.
"""

import ctypes
import signal
import subprocess
import sys
import threading

GRACE = 20.0
"""Seconds from SIGTERM to SIGKILL."""

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def run(command: list[str]) -> int:
    """Run the command until it ends, or standard input does."""
    stop = threading.Event()
    # The terminal's Ctrl-C is for the parent, which closes the pipe when it is done.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        close_fds=False,  # the command inherits the lock of the data directory
        preexec_fn=_die_with_parent,  # noqa: PLW1509 (no thread runs yet)
    )
    threading.Thread(target=_set_at_end_of_input, args=(stop,), daemon=True).start()
    threading.Thread(target=_set_at_exit, args=(child, stop), daemon=True).start()
    stop.wait()
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(GRACE)
        except subprocess.TimeoutExpired:
            child.kill()
    return child.wait()


def _set_at_end_of_input(stop: threading.Event) -> None:
    sys.stdin.buffer.read()
    stop.set()


def _set_at_exit(child: subprocess.Popen[bytes], stop: threading.Event) -> None:
    child.wait()
    stop.set()


def _die_with_parent() -> None:
    """Where the kernel supports it, the command ends with the watchdog too, if that is killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
