"""The toolkit for admin pages, and the pages that belong to no system."""

from core.admin import scheduler, users
from core.monitoring.admin import alerts, findings

__all__ = ["alerts", "findings", "scheduler", "users"]
