"""The fault points: where in the product's code each of them is. Needs Django set up."""

import threading
from collections.abc import Callable
from typing import Any

from django.conf import settings

from bench.rig.mines import Arrive, after, before
from connections import leases, pools
from sync import backoff, deepcheck, drain, draining, polling, reconciling, tasks
from sync.delivery import Verdict
from sync.ledger import owing, recording
from sync.running import cluster

_thread = threading.local()


def _claimed(arrive: Arrive) -> None:
    """Leases are taken, the task is not in the queue: this is the main process."""
    before(tasks, "hand_out", arrive, lambda task, claim, **_: claim[1])


def _taken(arrive: Arrive) -> None:
    """A worker has the task of a poll and has done nothing of it."""
    before(polling, "load_jobs", arrive)


def _begun(arrive: Arrive) -> None:
    """Inside the transaction that remembers the first look at a shop."""
    after(polling, "save_beginnings", arrive, lambda jobs: jobs)


def _fed(arrive: Arrive) -> None:
    before(polling._Poll, "_on_feed", arrive, lambda _, jobs: any(job.changes for job in jobs))


def _read(arrive: Arrive) -> None:
    before(polling._Poll, "_on_read", arrive, lambda _, jobs: any(job.found for job in jobs))


def _owing(arrive: Arrive) -> None:
    """Inside the transaction that owes: orders are marked as seen, what is owed for them is not stored."""
    after(owing.SEEN, "insert", arrive, lambda rows: rows)


def _owed(arrive: Arrive) -> None:
    """What is owed is stored; nothing has been sent, the window has not moved."""
    before(polling._Poll, "_deliver", arrive, lambda _, items: items)


def _window(arrive: Arrive) -> None:
    """Inside the transaction that moves the window."""
    after(
        polling, "save_jobs", arrive, lambda jobs: any(job.complete and job.log.orders_found for job in jobs)
    )


def _posted(arrive: Arrive) -> None:
    """A delivery has left; its answer has not been read."""
    _at_answer(arrive, lambda item: True)


def _retried(arrive: Arrive) -> None:
    """The same, for a version that has failed before."""
    _at_answer(arrive, lambda item: item.attempts > 0)


def _at_answer(arrive: Arrive, when: Callable[[Any], bool]) -> None:
    take, begin = drain.Drain.take, pools._Reply.begin

    def noting(one: Any) -> Any:
        _thread.item = take(one)
        return _thread.item

    def mined(reply: Any) -> Any:
        item = getattr(_thread, "item", None)
        if item is not None and when(item):
            arrive()
        return begin(reply)

    drain.Drain.take = noting  # type: ignore[method-assign]
    pools._Reply.begin = mined  # type: ignore[method-assign]


def _answered(arrive: Arrive) -> None:
    """The receiver has said yes; nothing of it is on record."""
    before(drain.Drain, "judge", arrive, lambda _, __, outcome: outcome.verdict is Verdict.DELIVERED)


def _flush(arrive: Arrive) -> None:
    """Inside the transaction of `ledger.record`: deliveries are written, failures and circuits are not."""
    after(recording, "_record_delivered", arrive, lambda tries, now: tries)


def _recorded(arrive: Arrive) -> None:
    """Right after that transaction."""
    after(draining.Drains, "_record", arrive)


def _checked(arrive: Arrive) -> None:
    """A deep check has stored what it found; it has not remembered how far it came."""
    after(deepcheck, "reread", arrive, lambda mine, changes: changes)


def _repaired(arrive: Arrive) -> None:
    """A reconciliation has repaired a page and not said so."""
    after(reconciling, "_repair", arrive, lambda mine, differences: differences)


POINTS: dict[str, Callable[[Arrive], None]] = {
    "claimed": _claimed,
    "taken": _taken,
    "begun": _begun,
    "fed": _fed,
    "read": _read,
    "owing": _owing,
    "owed": _owed,
    "window": _window,
    "posted": _posted,
    "answered": _answered,
    "flush": _flush,
    "recorded": _recorded,
    "retried": _retried,
    "checked": _checked,
    "repaired": _repaired,
}


def mark_replacements(mark: Callable[[], None]) -> None:
    """The supervisor, too, kills: whenever it ends a cluster."""
    before(cluster.family, "end_group", mark)


def hurry() -> None:
    """Shorter leases and retries, where the settings (`bench.rig.hurried`) say so."""
    if not hasattr(settings, "FIRST_RETRY_SECONDS"):
        return
    leases.LEASE_SECONDS = leases.claim.__kwdefaults__["seconds"] = settings.LEASE_SECONDS
    leases.renew.__kwdefaults__["seconds"] = settings.LEASE_SECONDS
    leases.RENEW_SECONDS = settings.RENEW_SECONDS
    drain.LEASE_MARGIN_SECONDS = settings.LEASE_MARGIN_SECONDS
    backoff.STEPS_SECONDS = (settings.FIRST_RETRY_SECONDS, *backoff.STEPS_SECONDS)
