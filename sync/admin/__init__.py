"""The desk: what support staff see and may do. One file per family of pages."""

from sync.admin import (
    alerts,
    checks,
    connections,
    findings,
    home,
    ledger,
    logs,
    people,
    questions,
    queue,
    recover,
    runs,
    seen,
)

__all__ = [
    "alerts",
    "checks",
    "connections",
    "findings",
    "home",
    "ledger",
    "logs",
    "people",
    "questions",
    "queue",
    "recover",
    "runs",
    "seen",
]
