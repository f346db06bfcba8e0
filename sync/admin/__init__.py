"""The admin pages of orders and connections. Each module registers its own."""

from sync.admin import overview, questions, reconciliations, search, sync_logs
from sync.admin.connections import page as connections_page
from sync.admin.orders import lists as order_lists
from sync.admin.orders import page as orders_page
from sync.admin.recovery import form as recovery_form
from sync.admin.recovery import runs

__all__ = [
    "connections_page",
    "order_lists",
    "orders_page",
    "overview",
    "questions",
    "reconciliations",
    "recovery_form",
    "runs",
    "search",
    "sync_logs",
]
