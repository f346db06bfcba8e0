"""What we remember of orders: where reading stands, what was seen, what is owed, sent, tried and logged."""

from sync.models.alerts import (
    Alert,
    AlertChannel,
    AlertChannelState,
    AlertKind,
    AlertNotice,
    NoticeKind,
)
from sync.models.beats import FailingWork, Job, PollerBeat
from sync.models.connection_test import ConnectionTest, UnsavedTest
from sync.models.counter import MonitorCount, MonitorMark
from sync.models.delivered_hour import DeliveredHour
from sync.models.findings import Finding
from sync.models.ledger import DeliveryAttempt, RetryItem, SeenOrder, SentOrder, Status
from sync.models.nudge_token import NudgeToken
from sync.models.poll_state import PollState
from sync.models.question import Answer, Question, QuestionKind
from sync.models.reconciliation import Progress, Reconciliation
from sync.models.runs import RowState, Run, RunKind, RunRow, Wish
from sync.models.staged import ChannelTest, StagedTest
from sync.models.sync_log import LogKind, SyncLog

__all__ = [
    "Alert",
    "AlertChannel",
    "AlertChannelState",
    "AlertKind",
    "AlertNotice",
    "Answer",
    "ChannelTest",
    "ConnectionTest",
    "DeliveredHour",
    "DeliveryAttempt",
    "FailingWork",
    "Finding",
    "Job",
    "LogKind",
    "MonitorCount",
    "MonitorMark",
    "NoticeKind",
    "NudgeToken",
    "PollState",
    "PollerBeat",
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
    "StagedTest",
    "Status",
    "SyncLog",
    "UnsavedTest",
    "Wish",
]
