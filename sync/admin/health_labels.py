"""Health of connections, in the admin's colours."""

from sync.health import WRONG, HealthState, counts, with_backlog, with_health_state

__all__ = ["COLOURS", "WRONG", "HealthState", "counts", "with_backlog", "with_health_state"]

COLOURS = {
    HealthState.FAILING: "danger",
    HealthState.OPEN: "danger",
    HealthState.LATE: "warning",
    HealthState.NEEDS_PERSON: "danger",
    HealthState.PAUSED: "info",
    HealthState.DISABLED: "",
    HealthState.NEW: "info",
    HealthState.OK: "success",
}
