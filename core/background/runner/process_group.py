"""Processes that live and die together: no child goes on when the one that cares for it is gone."""

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from connections import faultpoints

PR_SET_PDEATHSIG = 1
LOOK_SECONDS = 1.0


class Family:
    """All processes forked from here on, however deep.

    Each is killed when its parent dies, by whatever cause. The children of the founder lead a process group
    each: a signal to the founder's group does not reach them, and one call ends such a child with all of its
    descendants.
    """

    def __init__(self) -> None:
        self._main = self._parent = os.getpid()
        self._bind = parent_binding()

    def found(self) -> None:
        """From now on. It cannot be taken back, so only a process that is the poller does this."""
        os.register_at_fork(before=self._before, after_in_child=self._in_child)

    def _before(self) -> None:
        self._parent = os.getpid()

    def _in_child(self) -> None:
        if self._parent == self._main:
            os.setpgid(0, 0)
        self._bind(self._parent)
        if os.getppid() != self._parent:  # it died before the bond was made
            os._exit(1)


def parent_binding() -> Callable[[int], None]:
    """How a child gets to die with its parent: the kernel sees to it on Linux, a thread elsewhere."""
    if not sys.platform.startswith("linux"):
        return watch_parent
    # Looked up before any fork: loading a library in a fresh child is asking for trouble.
    prctl = ctypes.CDLL(None).prctl

    def bind(parent: int) -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

    return bind


def watch_parent(parent: int) -> None:
    """Look each second whether the parent is still there, and die at once when it is not."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(LOOK_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def end_group(leader: int) -> None:
    """Kill a child of the main process and all of its descendants, and reap those that were left to us."""
    faultpoints.at("replaced")
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


def reap(leader: int) -> None:
    """In a container we are the parent of every orphan: take the dead of this group off the process table."""
    with suppress(ChildProcessError):
        while os.waitpid(-leader, os.WNOHANG)[0]:
            pass
