"""The queue as a whole, whatever its broker is."""

from __future__ import annotations

from django_q.brokers import get_broker


def depth() -> int:
    """How many tasks wait; raises what the queue's client raises when it is away."""
    return int(get_broker().queue_size())
