"""How connections stand, in the desk's colours."""

from sync.health import WRONG, Standing, counts, with_backlog, with_standing

__all__ = ["COLOURS", "WRONG", "Standing", "counts", "with_backlog", "with_standing"]

COLOURS = {
    Standing.FAILING: "danger",
    Standing.OPEN: "danger",
    Standing.LATE: "warning",
    Standing.NEEDS_PERSON: "danger",
    Standing.PAUSED: "info",
    Standing.DISABLED: "",
    Standing.NEW: "info",
    Standing.OK: "success",
}
