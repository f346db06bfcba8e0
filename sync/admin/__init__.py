"""The desk: what support staff see and may do. One file per family of pages."""

from sync.admin import checks, connections, home, ledger, logs, orders, people, queue

__all__ = ["checks", "connections", "home", "ledger", "logs", "orders", "people", "queue"]
