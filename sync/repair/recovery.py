"""Acts on many orders: frozen when asked for, done a little each second, every row exactly once.

What is done to a row and that it is done are written in one transaction, fenced by the run's lease: a worker
may die at any point, and whoever comes next goes on with the rows that still wait.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction
from django.db.models import Count, Exists, F
from django.db.models.functions import Coalesce
from django.utils import timezone

from connections import leases
from connections.errors import Contract, RemoteError
from connections.models import Connection
from sync import ledger
from sync.models import PollState, RetryItem, RowState, Run, RunKind, RunRow, Status, Wish
from sync.polling.turn import BUSY_SECONDS
from sync.repair import resend
from sync.repair.recovery_rows import Choice, Rows, in_hand

MOST_ROWS = 50_000
WRITTEN_AT_ONCE = 2000
READ_AT_ONCE = 50  # orders asked of Odoo in one step
ACT_SECONDS = 30  # longer than a step that only writes; when a worker dies the next one comes after these
RESEND_SECONDS = 200  # a step may wait for a poll to end and read orders slowly
STEP_SECONDS = 1.0
SHOPS_TRIED = 3  # in one step
SHOPS_SECONDS = 20  # then no further shop is tried: a step must end while its run and its slot are ours
TURN_SECONDS = 5
REST_SECONDS = 60  # after a fault that a shop has to mend
BUSY = "odoo_busy"

Clock = Callable[[], datetime]

__all__ = ["Choice", "TooMany", "counts", "start", "undo", "wish", "work"]


class TooMany(ValueError):
    """More rows than one run may have."""


class _Lost(Exception):
    """Somebody else works on the run, or a person stopped it: nothing of this step is written."""


@dataclass
class Counts:
    waiting: int = 0
    done: int = 0
    left: int = 0

    @property
    def total(self) -> int:
        return self.waiting + self.done + self.left


@dataclass
class _Step:
    """The rows of one step, and what becomes of them."""

    run: Run
    rows: list[RunRow]
    now: datetime
    ids: list[int] = field(default_factory=list)


def start(
    rows: Rows,
    *,
    kind: str,
    token: str,
    by: str,
    now: datetime,
    reason: str = "",
    scope: dict[str, object] | None = None,
    undoes: Run | None = None,
) -> Run:
    """Freeze these rows and let the work begin. The same token gives the same run. Raises TooMany.

    What a run of this kind has in hand already is left to it; where that is all of it, that run is returned.
    """
    with transaction.atomic():
        sane = {"kind": kind, "asked_by": by, "asked_at": now, "reason": reason, "next_at": now}
        run, is_new = Run.objects.get_or_create(
            token=token, defaults=sane | {"scope": scope or {}, "undoes": undoes}
        )
        if is_new:
            run.total = _freeze(run, rows.exclude(Exists(in_hand(kind))))
            first = _holder(rows, kind) if not run.total else None
            if first is not None:
                run.delete()
                return first
            run.save(update_fields=["total"])
    return run


def _holder(rows: Rows, kind: str) -> Run | None:
    """The unfinished run of this kind that has the first of these rows in hand."""
    row = rows.first()
    held = in_hand(kind, row).first() if row is not None else None
    return held.run if held is not None else None


def undo(run: Run, *, token: str, by: str, now: datetime) -> Run:
    """Take back a discard: what it gave up is delivered after all."""
    given_up = run.rows.filter(state=RowState.DONE).values("item_id")
    items = RetryItem.objects.filter(pk__in=given_up, status=Status.DISCARDED).order_by("id")
    return start(items, kind=RunKind.RETRY, token=token, by=by, now=now, scope=run.scope, undoes=run)


def wish(run: Run, wanted: Wish, *, by: str, now: datetime) -> bool:
    """What a person wants of it from now on; False when it has ended already."""
    unfinished = Run.objects.unfinished().filter(pk=run.pk)
    values = {"wish": wanted, "wished_by": by, "wished_at": now}
    if wanted == Wish.GO:
        values["next_at"] = now
    return bool(unfinished.update(**values))


def counts(run: Run) -> Counts:
    rows = run.rows.order_by().values_list("state").annotate(n=Count("pk"))
    return Counts(**{str(state): n for state, n in rows})


def work(
    token: str,
    number: int,
    *,
    clock: Clock = timezone.now,
    seconds: float = 0,
    closing: Callable[[], bool] = lambda: False,
    sleep: Callable[[float], None] = time.sleep,
) -> int:
    """Do the next rows of a run that was claimed with `token`; for `seconds` more, at its pace. How many."""
    worker = _Worker(number, clock)
    with transaction.atomic():
        if not leases.take_over([worker.key], token, worker.token, now=clock()):
            return 0
    end, done = time.monotonic() + seconds, 0
    try:
        while (count := worker.step()) is not None:
            done += count
            if closing() or time.monotonic() + STEP_SECONDS > end:
                break
            sleep(STEP_SECONDS)
    finally:
        leases.release([worker.key], worker.token)
    return done


class _Worker:
    """Holds the lease of one run."""

    def __init__(self, number: int, clock: Clock) -> None:
        self.number, self.clock = number, clock
        self.key, self.token = Run(pk=number).lease_key, leases.new_token()
        self.lease_seconds = ACT_SECONDS

    def step(self) -> int | None:
        """Rows of the next second; None when there is nothing to do now. Never raises for a shop's fault."""
        run = Run.objects.filter(pk=self.number).first()
        if run is None:
            return None
        self.lease_seconds = RESEND_SECONDS if run.kind == RunKind.RESEND else ACT_SECONDS
        try:
            return self._resend(run) if run.kind == RunKind.RESEND else self._act()
        except _Lost:
            return None

    def _act(self) -> int | None:
        with transaction.atomic():
            run, now = self._fence()
            rows = self._waiting(run, settings.RUN_ROWS_PER_SECOND)
            if not rows:
                _finish(run, now)
                return None
            _act_on(_Step(run, rows, now, [row.item_id for row in rows if row.item_id]))
            _go_on(run, now, STEP_SECONDS)
        return len(rows)

    def _fence(self) -> tuple[Run, datetime]:
        """First in a transaction: ours alone, and still wanted, until it ends. Raises _Lost."""
        now = self.clock()
        if not leases.renew([self.key], self.token, now=now, seconds=self.lease_seconds):
            raise _Lost
        run = Run.objects.select_for_update().get(pk=self.number)
        if run.wish != Wish.GO or run.finished_at:
            raise _Lost
        return run, now

    def _waiting(self, run: Run, limit: int, **more: Any) -> list[RunRow]:
        rows = run.rows.filter(state=RowState.WAITING, **more).order_by("connection", "id")
        return list(rows[: max(1, limit)])

    def _resend(self, run: Run) -> int | None:
        """Orders of one shop; a shop that cannot be read waits, and the next one has its turn."""
        fault, ends_at = ("", ""), time.monotonic() + SHOPS_SECONDS
        shops = _connections_left(run)
        for shop in _in_turn(shops, self.clock()):
            if fault[0] and time.monotonic() > ends_at:
                break
            with transaction.atomic():
                self._fence()
            rows = self._waiting(run, min(READ_AT_ONCE, settings.RUN_ROWS_PER_SECOND), connection=shop)
            problem = self._send_again(shop, self._leave_duplicates(run, rows))
            if not problem:
                return len(rows)
            fault = problem
        with transaction.atomic():
            run, now = self._fence()
            if not fault[0]:
                _finish(run, now)
                return None
            _go_on(run, now, _rest_seconds(fault[0], len(shops)), *fault)
        return None

    def _leave_duplicates(self, run: Run, rows: list[RunRow]) -> list[RunRow]:
        """Two runs that were asked for at the same moment may have the same order: the first one sends it."""
        waiting = RunRow.objects.filter(state=RowState.WAITING, order_id__in=[row.order_id for row in rows])
        earlier = Run.objects.unfinished().filter(kind=RunKind.RESEND, pk__lt=run.pk).values("pk")
        duplicates = set(waiting.filter(run__in=earlier).values_list("connection", "order_id"))
        mine = [row for row in rows if (row.connection_id, row.order_id) not in duplicates]
        if len(mine) < len(rows):
            self._leave([row for row in rows if row not in mine], "in_hand")
        return mine

    def _send_again(self, shop: int, rows: Sequence[RunRow]) -> tuple[str, str] | None:
        """Returns what keeps this shop from being read; None when all of the rows are settled."""
        if not rows:
            return None
        connection = Connection.objects.get(pk=shop)
        try:
            resend.resend(
                connection,
                order_ids=[row.order_id for row in rows],
                clock=self.clock,
                also=lambda: self._settle(rows, "", RowState.DONE),
                in_background=True,
            )
            return None
        except resend.NoSuchOrder as error:
            gone = [row for row in rows if str(row.order_id) in error.missing]
            self._leave(gone, "gone")
            return self._send_again(shop, [row for row in rows if row not in gone])
        except Contract as error:  # one of them, or all
            if len(rows) == 1:
                self._leave(rows, error.code)
                return None
            half = len(rows) // 2
            return self._send_again(shop, rows[:half]) or self._send_again(shop, rows[half:])
        except resend.Busy:
            return (BUSY, connection.name)
        except RemoteError as error:
            return (error.code, f"{connection.name}: {error.detail}"[:500])
        except ImproperlyConfigured as error:
            return ("unknown", str(error)[:500])

    def _leave(self, rows: Sequence[RunRow], why: str) -> None:
        with transaction.atomic():
            self._settle(rows, why, RowState.LEFT)

    def _settle(self, rows: Sequence[RunRow], why: str, state: RowState) -> None:
        """Inside the transaction that does it. Raises _Lost when anything of it was done by another."""
        run, now = self._fence()
        waiting = RunRow.objects.filter(pk__in=[row.pk for row in rows], state=RowState.WAITING)
        if waiting.update(state=state, why=why, done_at=now) != len(rows):
            raise _Lost
        _go_on(run, now, STEP_SECONDS)


def _connections_left(run: Run) -> list[int]:
    """Connections with orders to send. Those whose polls fail come when the others are done."""
    waiting = run.rows.filter(state=RowState.WAITING).order_by("connection")
    ids = list(waiting.values_list("connection", flat=True).distinct())
    failing = set(PollState.objects.filter(connection__in=ids, failures__gt=0).values_list("pk", flat=True))
    return [pk for pk in ids if pk not in failing] or ids


def _rest_seconds(code: str, connections: int) -> float:
    if connections > SHOPS_TRIED:
        return TURN_SECONDS
    return BUSY_SECONDS if code == BUSY else REST_SECONDS


def _in_turn(shops: Sequence[int], now: datetime) -> list[int]:
    """A few, others each time: shops that cannot be read must not keep the rest waiting."""
    first = int(now.timestamp() // TURN_SECONDS) * SHOPS_TRIED % len(shops) if len(shops) > SHOPS_TRIED else 0
    return [*shops[first:], *shops[:first]][:SHOPS_TRIED]


def _act_on(step: _Step) -> None:
    """Retry or discard the items of these rows, and write down what became of each."""
    items = RetryItem.objects.filter(pk__in=step.ids)
    before = dict(items.values_list("pk", "status"))
    if step.run.kind == RunKind.DISCARD:
        ledger.discard(items, by=step.run.asked_by, reason=step.run.reason, now=step.now)
        done = items.filter(status=Status.DISCARDED, closed_at=step.now)
    else:
        ledger.retry_now(items, now=step.now)
        done = items.filter(status=Status.PENDING, next_retry_at=step.now)
    after = dict(done.values_list("pk", "status"))
    for row in step.rows:
        was = before.get(row.item_id or 0, "")
        row.state = RowState.DONE if row.item_id in after else RowState.LEFT
        row.before, row.after, row.done_at = was, after.get(row.item_id or 0, was), step.now
        row.why = "" if row.item_id in after else (was or "gone")
    RunRow.objects.bulk_update(step.rows, ["state", "before", "after", "why", "done_at"], batch_size=500)


def _finish(run: Run, now: datetime) -> None:
    Run.objects.filter(pk=run.pk).update(
        finished_at=now, started_at=Coalesce(F("started_at"), now), error_code="", error_detail=""
    )


def _go_on(run: Run, now: datetime, seconds: float, code: str = "", detail: str = "") -> None:
    Run.objects.filter(pk=run.pk).update(
        next_at=now + timedelta(seconds=seconds),
        started_at=Coalesce(F("started_at"), now),
        error_code=code,
        error_detail=detail,
    )


def _freeze(run: Run, rows: Rows) -> int:
    columns = ["connection_id", "order_id", "order_name", "version"]
    owed = run.kind != RunKind.RESEND
    wanted = rows.values_list("pk", *columns, *(["status"] if owed else []))
    found = list(wanted[: MOST_ROWS + 1])
    if len(found) > MOST_ROWS:
        raise TooMany(MOST_ROWS)
    frozen = [
        RunRow(
            run=run,
            item_id=pk if owed else None,
            connection_id=connection,
            order_id=order_id,
            order_name=name,
            version=version,
            before=status[0] if status else "",
        )
        for pk, connection, order_id, name, version, *status in found
    ]
    if not owed:  # an order is sent again once, however many of its versions were chosen
        frozen = list({(row.connection_id, row.order_id): row for row in frozen}.values())
    RunRow.objects.bulk_create(frozen, batch_size=WRITTEN_AT_ONCE)
    return len(frozen)
