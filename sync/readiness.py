"""Whether orders flow, part by part: for /readyz and `manage.py status`."""

from __future__ import annotations

from datetime import datetime, timedelta

from core.background import queue
from core.background.heartbeat import silent_since
from sync.findings import LATE_SECONDS
from sync.models import PollState


def broker(now: datetime) -> str:
    """What is wrong with the queue, or nothing."""
    try:
        queue.depth()
    except Exception as error:  # whatever its client raises
        return type(error).__name__
    return ""


def ticks(now: datetime) -> str:
    since = silent_since(now)
    return f"no poller since {since:%Y-%m-%d %H:%M:%S} UTC" if since else ""


def overdue(now: datetime) -> str:
    """Connections that nobody polls although they are due."""
    late = PollState.objects.poll_due(now - timedelta(seconds=LATE_SECONDS)).count()
    return f"{late} overdue" if late else ""


PARTS = {"broker": broker, "ticks": ticks, "connections": overdue}


def parts(now: datetime) -> dict[str, str]:
    """{part: what is wrong with it, or nothing}."""
    return {name: look(now) for name, look in PARTS.items()}
