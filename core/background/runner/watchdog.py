"""Whether the cluster gets on with its work: signs of life in, a sentence about what is wrong out."""

from dataclasses import dataclass, field

from django.conf import settings

from core.background.runner.shared_state import Signs

# Tests are in a hurry and set their own; operators have nothing to set here.
HEARTBEAT_SECONDS = float(getattr(settings, "WATCHDOG_HEARTBEAT_SECONDS", 10))
PATIENCE_SECONDS = float(getattr(settings, "WATCHDOG_PATIENCE_SECONDS", 30))  # without a sign of work
GUARD_PATIENCE_SECONDS = 60.0  # the guard may wait for the database for a while
# What we slept through (a suspended machine, a stopped process) says nothing about the cluster.
LONGEST_STEP_SECONDS = 5.0


@dataclass
class Watchdog:
    """Looks every second or so; counts the time in which nothing moved.

    A worker or the monitor killed while idle has died holding the lock of django-q2's inner queue. Nothing
    is done or acknowledged ever after, and django-q2 takes no notice.
    """

    workers: int
    began_at: float
    patience_seconds: float = PATIENCE_SECONDS
    guard_patience_seconds: float = GUARD_PATIENCE_SECONDS
    _last: Signs = field(init=False)
    _quiet_seconds: float = field(default=0.0, init=False)
    _unguarded_seconds: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self._looked_at = self.began_at
        self._last = Signs(self.began_at, self.began_at, self.began_at, 0)

    def look(self, signs: Signs, now: float) -> str:
        """What is wrong, or nothing."""
        step = min(now - self._looked_at, LONGEST_STEP_SECONDS)
        self._quiet_seconds = 0.0 if self._works(signs) else self._quiet_seconds + step
        guarded = signs.guarded_at > self._last.guarded_at
        self._unguarded_seconds = 0.0 if guarded else self._unguarded_seconds + step
        self._looked_at, self._last = now, signs
        if self._quiet_seconds > self.patience_seconds:
            return f"no task was finished for {self._quiet_seconds:.0f} s although it was free to work"
        if self._unguarded_seconds > self.guard_patience_seconds:
            return f"its guard has not moved for {self._unguarded_seconds:.0f} s"
        return ""

    def _works(self, signs: Signs) -> bool:
        # While all workers are in long tasks nothing can finish; that lasts no longer than their timeout.
        # It is no excuse when they have finished something that the monitor does not put away.
        all_busy = signs.busy >= self.workers and signs.worked_at <= signs.answered_at
        return all_busy or signs.answered_at > self._last.answered_at
