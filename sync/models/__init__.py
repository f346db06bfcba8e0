"""What we remember of orders: where reading stands, what was seen, what is owed, sent, tried and logged."""

from sync.models.connection_test import ConnectionTest, UnsavedTest
from sync.models.counter import MonitorCount, MonitorMark
from sync.models.delivered_hour import DeliveredHour
from sync.models.ledger import DeliveryAttempt, RetryItem, SeenOrder, SentOrder, Status
from sync.models.nudge_token import NudgeToken
from sync.models.poll_state import PollState
from sync.models.question import Answer, Question, QuestionKind
from sync.models.reconciliation import Progress, Reconciliation
from sync.models.run import RowState, Run, RunKind, RunRow, Wish
from sync.models.sync_log import LogKind, SyncLog

__all__ = [
    "Answer",
    "ConnectionTest",
    "DeliveredHour",
    "DeliveryAttempt",
    "LogKind",
    "MonitorCount",
    "MonitorMark",
    "NudgeToken",
    "PollState",
    "Progress",
    "Question",
    "QuestionKind",
    "Reconciliation",
    "RetryItem",
    "RowState",
    "Run",
    "RunKind",
    "RunRow",
    "SeenOrder",
    "SentOrder",
    "Status",
    "SyncLog",
    "UnsavedTest",
    "Wish",
]
