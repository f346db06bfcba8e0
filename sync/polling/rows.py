"""The rows that polls are loaded from and saved to, for many connections at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.db import transaction

from connections import circuit_store, leases
from connections.models import Connection, Side
from core.background.bulk import Table
from sync import ledger
from sync.events.decide import BY_STAMP
from sync.models import PollState, SeenOrder, SyncLog
from sync.orders import Change
from sync.polling import newest
from sync.polling.state import Job

SAVED = (
    "next_poll_at",
    "window_to",
    "window_at",
    "page_from",
    "page_to",
    "page_at",
    "page_after_id",
    "clock_offset_seconds",
    "last_polled_at",
    "last_success_at",
    "last_order_at",
    "newest_id",
    "newest_stamp",
    "failures",
    "error_code",
    "error_detail",
)
STATES = Table(PollState, ("connection_id", *SAVED), unique=("connection_id",), update=SAVED)


def load_jobs(token: str, mine: str, ids: Sequence[int], *, now: datetime) -> list[Job]:
    """The connections among `ids` whose Odoo lease `token` still holds; from now on it is `mine`."""
    states = PollState.objects.filter(connection__in=ids, connection__enabled=True)
    rows = list(states.select_related("connection").defer("start_ids").order_by("next_poll_at"))
    with transaction.atomic():
        held = leases.take_over((row.connection.odoo_lease_key for row in rows), token, mine, now=now)
        rows = [row for row in rows if row.connection.odoo_lease_key in held]
        odoo = circuit_store.load((row.connection_id for row in rows), Side.ODOO, now)
    return [
        Job(
            row.connection,
            row,
            odoo[row.connection_id],
            SyncLog(connection=row.connection, started_at=now),
            now,
        )
        for row in rows
    ]


def load_start_ids(jobs: Sequence[Job]) -> None:
    """What was there before the start, for jobs that are about to read orders nobody has seen."""
    missing = {job.connection.pk: job for job in jobs if not job.knows_start}
    rows = PollState.objects.filter(connection__in=missing).values_list("connection", "start_ids")
    for pk, packed in rows:
        missing[pk].learn_start_ids(bytes(packed) if packed else None)


def add_sent_before(jobs: Iterable[Job]) -> None:
    """What a person sent before the first window is read again with it: it may have changed long before."""
    first = {job.connection.pk: job for job in jobs if job.first_window and not job.after_id}
    if not first:
        return
    rows = SeenOrder.objects.filter(connection__in=first, version__gt=0, seeded=False)
    columns = ("connection_id", "order_id", "write_date", "state")
    for pk, *change in rows.exclude(content_hash=BY_STAMP).values_list(*columns):
        if change[0] not in {each.order_id for each in first[pk].changes}:
            first[pk].to_read.append(Change(*change))


def add_rereads(jobs: Iterable[Job]) -> None:
    """Orders that wait to be read again, whether or not the source lists them as written."""
    asking = {job.connection.pk: job for job in jobs if job.state.has_rereads and not job.after_id}
    if not asking:
        return
    marked = ledger.rereads(asking)
    ledger.forget_rereads(pk for pk in asking if pk not in marked)
    for pk, job in asking.items():
        changes = marked.get(pk, [])
        job.rereads = {change.order_id for change in changes}
        listed = {change.order_id for change in job.to_read}
        job.to_read += [change for change in changes if change.order_id not in listed]


def load_open_orders(jobs: Iterable[Job]) -> None:
    """Count the orders that the receivers know as open, for the few jobs that meet many old ones."""
    for job in jobs:
        if job.asks_for_open_orders:
            job.open_orders = SeenOrder.objects.known_as_open(job.connection).count()


def save_recognised(jobs: Iterable[Job]) -> None:
    """The database is the one we know, at its new place; what it says of itself today is kept."""
    for job in jobs:
        if job.identity is not None:
            job.state.database = job.identity.to_json()
            PollState.objects.filter(connection=job.connection).update(
                database=job.state.database, account=job.account or {}
            )


def begin_anew(jobs: Iterable[Job]) -> None:
    """Another database, and no order of the one before is known: nothing of its beginning counts."""
    for job in jobs:
        state = job.state
        state.started_at = state.window_to = state.window_at = None
        state.page_from = state.page_to = state.page_at = state.page_after_id = None
        job.page_to = job.page_at = job.newest = None
        job.after_id = 0
        job.connection.take_own_ids()
        PollState.objects.filter(connection=job.connection).update(
            started_at=None, start_ids=None, window_to=None, window_at=None, account={}
        )


def save_beginnings(jobs: Sequence[Job]) -> None:
    save_recognised(jobs)
    for job in jobs:
        if job.beginning is None:
            continue
        job.newest = newest.newest_of([seed.change for seed in job.seeds], None)
        job.since = job.state.page_from = job.beginning.since
        job.state.started_at = job.beginning.started_at
        job.learn_start_ids(job.beginning.ids)
        PollState.objects.filter(connection=job.connection).update(
            started_at=job.beginning.started_at, page_from=job.since, start_ids=job.beginning.ids
        )
        # From here on ids keep this name: whoever renamed the database meanwhile did so after its first run.
        in_ids = job.connection.database_in_ids
        others = Connection.objects.filter(pk=job.connection.pk).exclude(ids_database=in_ids)
        others.update(ids_database=in_ids)


def save_jobs(jobs: Sequence[Job]) -> None:
    """One statement for all, and one for each server about which something new was learnt."""
    STATES.insert_objects(job.state for job in jobs)
    for job in jobs:
        if job.polled and job.client.changed:
            PollState.objects.filter(connection=job.connection).update(**job.learned)
