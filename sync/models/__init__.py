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
from sync.models.checks import Progress, Reconciliation
from sync.models.counts import MonitorCount, MonitorMark
from sync.models.findings import Finding
from sync.models.ledger import DeliveryAttempt, RetryItem, SeenOrder, SentOrder, Status
from sync.models.logs import LogKind, SyncLog
from sync.models.nudges import NudgeToken
from sync.models.polls import PollState
from sync.models.questions import Answer, Question, QuestionKind
from sync.models.runs import RowState, Run, RunKind, RunRow, Wish
from sync.models.staged import ChannelTest, StagedTest
from sync.models.tallies import DeliveredHour
from sync.models.trials import ConnectionTest, UnsavedTest

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
