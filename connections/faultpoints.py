"""Fault points: named moments of the flows at which tests let a worker die, wait for another, or look on.

In production nobody visits them, and passing one costs a single comparison. Whoever moves a flow takes its
points along: `tests/connections/test_faultpoints.py` compares their names with those that the harnesses use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Visitor = Callable[[str, object], None]

_visitor: Visitor | None = None


def at(name: str, about: object = None) -> None:
    """The flow is at this point. `about` is what it has in hand, as it is: a visitor looks at it, no more."""
    if _visitor is not None:
        _visitor(name, about)


def install(visitor: Visitor | None) -> None:
    """For harnesses only: from now on `visitor` is called at every point, in whichever thread it is."""
    global _visitor
    _visitor = visitor


@contextmanager
def visited(visitor: Visitor) -> Iterator[None]:
    """The same for a while."""
    before = _visitor
    install(visitor)
    try:
        yield
    finally:
        install(before)


def is_visited() -> bool:
    return _visitor is not None
