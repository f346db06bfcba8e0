"""The tables of what every system stands on: pollers and their work, findings, alerts."""

from core.models.alert import (
    Alert,
    AlertChannel,
    AlertChannelState,
    AlertKind,
    AlertNotice,
    NoticeKind,
)
from core.models.finding import Finding
from core.models.poller import FailingWork, PollerHeartbeat, ScheduleStatus
from core.models.staged_test import ChannelTest, StagedTest

__all__ = [
    "Alert",
    "AlertChannel",
    "AlertChannelState",
    "AlertKind",
    "AlertNotice",
    "ChannelTest",
    "FailingWork",
    "Finding",
    "NoticeKind",
    "PollerHeartbeat",
    "ScheduleStatus",
    "StagedTest",
]
