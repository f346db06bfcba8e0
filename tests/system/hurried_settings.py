"""The product's settings for a runpoller in a hurry: what takes a minute there takes seconds here."""

import os

from odoopoller.settings import *  # noqa: F403
from odoopoller.settings import Q_CLUSTER

WATCHDOG_HEARTBEAT_SECONDS = 0.5
WATCHDOG_PATIENCE_SECONDS = 2
BACKGROUND_RESTART_SECONDS = 0.5
STOP_SECONDS = float(os.environ.get("HURRIED_STOP_SECONDS", 5))
Q_CLUSTER["recycle"] = int(os.environ.get("HURRIED_RECYCLE", 2000))
