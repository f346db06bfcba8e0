"""What we remember of orders: where reading stands, what was seen, what is owed, sent, tried and logged."""

from sync.models.checks import Progress, Reconciliation
from sync.models.findings import Finding
from sync.models.ledger import DeliveryAttempt, RetryItem, SeenOrder, SentOrder, Status
from sync.models.logs import LogKind, SyncLog
from sync.models.polls import PollState

__all__ = [
    "DeliveryAttempt",
    "Finding",
    "LogKind",
    "PollState",
    "Progress",
    "Reconciliation",
    "RetryItem",
    "SeenOrder",
    "SentOrder",
    "Status",
    "SyncLog",
]
