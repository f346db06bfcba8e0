"""Poll: read what changed in Odoo, decide what is news, owe it, deliver it, and remember how far we are."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import DatabaseError, transaction
from django.utils import timezone

from connections import circuit_store, faultpoints, leases
from connections.errors import Permanent, RemoteError, on_side
from connections.models import Connection, Side, Start
from core.background.batches import Loop
from core.background.bulk import Table
from sync import ledger, tracing
from sync.deliveries.dispatcher import Dispatcher
from sync.deliveries.session import Clock, Closing, DeliverySession, never
from sync.models import QuestionKind, SyncLog
from sync.orders import Change, Unreadable
from sync.polling import database_identity, questions, window
from sync.polling.database_identity import Verdict
from sync.polling.first_run import first_look
from sync.polling.read import read_whole
from sync.polling.rows import (
    add_rereads,
    add_sent_before,
    begin_anew,
    load_jobs,
    load_open_orders,
    load_start_ids,
    save_beginnings,
    save_jobs,
    save_recognised,
)
from sync.polling.state import FEED_LIMIT, Job

logger = logging.getLogger("poller.poll")

LOGS = Table(SyncLog, [field.attname for field in SyncLog._meta.concrete_fields if not field.primary_key])
READ_LIMIT = 200  # orders per whole read
SLICE_SECONDS = 25  # then the rest of a long window waits for the next turn


def poll(
    token: str,
    ids: Sequence[int],
    *,
    clock: Clock = timezone.now,
    threads: int | None = None,
    closing: Closing = never,
) -> list[SyncLog]:
    """Poll these connections, whose Odoo leases were claimed with `token`; returns their logs.

    Once `closing()` says so, nothing further begins: a window half read goes on in its next turn.
    """
    return _Poll(clock, settings.TASK_THREADS if threads is None else threads, closing).run(token, ids)


class _Poll:
    """One batch of connections on one loop. What is named `_on_...` runs in our thread with the database."""

    def __init__(self, clock: Clock, threads: int, closing: Closing) -> None:
        self.token, self.clock, self.closing = leases.new_token(), clock, closing
        self.loop = Loop(threads)
        self.dispatcher = Dispatcher(self.loop, self.token, clock, self._on_sessions_ended, closing)
        self.jobs: dict[int, Job] = {}
        self.waiting: dict[str, list[Job]] = {}  # jobs of one Odoo database take turns
        self.logs: list[SyncLog] = []
        self.ends_at = clock() + timedelta(seconds=SLICE_SECONDS)

    def run(self, token: str, ids: Sequence[int]) -> list[SyncLog]:
        faultpoints.at("taken")
        jobs = load_jobs(token, self.token, ids, now=self.clock())
        self.jobs = {job.connection.pk: job for job in jobs}
        self.loop.every(leases.RENEW_SECONDS, self._renew)
        for job in jobs:
            self.waiting.setdefault(job.lease_key, []).append(job)
        for key in list(self.waiting):
            self._next(key)
        self.loop.run()
        return self.logs

    def _next(self, lease_key: str) -> None:
        queue = self.waiting[lease_key]
        if queue:
            self._start(queue.pop(0))
        else:
            del self.waiting[lease_key]

    def _start(self, job: Job) -> None:
        job.started_at = self.clock()
        job.put_off = self.closing()
        if job.put_off or not job.may_call(job.started_at):
            self._finish(job)
            return
        if job.is_elsewhere:
            job.births = database_identity.births_elsewhere(job.connection)
        if job.is_elsewhere and (job.births or job.has_begun):  # people may send orders before the beginning
            self._spawn(job, self._recognise, self._on_recognised)
        else:
            self._begin_or_feed(job)

    def _begin_or_feed(self, job: Job) -> None:
        if job.has_begun:
            self._spawn(job, self._feed, self._on_feed)
        else:
            self._spawn(job, self._begin, self._on_begun)

    def _spawn(self, job: Job, step: Callable[[Job], None], then: Callable[[list[Job]], None]) -> None:
        self.loop.spawn(lambda: _guarded(job, step), then)

    # --- steps in threads: HTTP and values only -----------------------------------------------------

    def _begin(self, job: Job) -> None:
        job.beginning = first_look(job.connection, job.source, now=job.started_at)
        job.meet()

    def _recognise(self, job: Job) -> None:
        job.recognition = database_identity.recognise(
            job.source, job.connection, job.births, job.state.database
        )
        if job.recognition.verdict is Verdict.SAME:
            job.meet()

    def _feed(self, job: Job) -> None:
        called_at = self.clock()
        job.changes = self._changes(job)
        if job.page_to is None:
            ran_back = job.clock_ran_back(called_at)
            if ran_back is not None:
                job.went_back = False  # what was written since has the stamps of the clock of today
                job.since = window.since(ran_back, job.lookback_seconds)
                job.changes = self._changes(job)
            job.page_to, job.page_at = job.read_at, called_at
            job.look_at_company()

    def _changes(self, job: Job) -> list[Change]:
        only_open = job.first_window and job.connection.start == Start.ALL
        changes = job.source.changes(
            since=job.since,
            after_id=job.after_id,
            limit=FEED_LIMIT,
            only_open=only_open,
            also=job.watched_id,
        )
        return job.look_at(changes, is_last=len(changes) < FEED_LIMIT)

    def _read(self, job: Job) -> None:
        chunk, job.to_read = job.to_read[:READ_LIMIT], job.to_read[READ_LIMIT:]
        wanted = {change.order_id: change for change in chunk}
        orders, sure_until = read_whole(job.source, list(wanted))
        job.asked = set(wanted)
        job.found = [
            job.set_aside(wanted[order.order_id], order)
            if isinstance(order, Unreadable)
            else job.judge(order, sure_until)
            for order in orders
        ]

    # --- our thread: the database -------------------------------------------------------------------

    def _on_begun(self, jobs: list[Job]) -> None:
        begun = [job for job in jobs if job.error is None]
        with transaction.atomic():
            held = self._fence(begun)
            begun = [job for job in begun if job.connection.pk in held]
            save_beginnings(begun)
            faultpoints.at("begun", begun)
            ledger.seed([seed for job in begun for seed in job.seeds], self.clock())
        for job in jobs:
            if job in begun:
                self._spawn(job, self._feed, self._on_feed)
            else:
                self._finish(job)

    def _on_recognised(self, jobs: list[Job]) -> None:
        """Another database: hold everything and ask. A connection that knows no order begins anew."""
        now = self.clock()
        with transaction.atomic():
            held = self._fence(jobs)
            judged = [job for job in jobs if job.error is None and job.connection.pk in held]
            for job in judged:
                job.settle_verdict()
                if job.verdict is Verdict.ANOTHER:
                    questions.hold(job.connection, job.doubts, now)
            save_recognised([job for job in judged if job.verdict is Verdict.SAME])
            begin_anew([job for job in judged if job.verdict is Verdict.EMPTY_ANOTHER])
        for job in jobs:
            if job.verdict is Verdict.ANOTHER and job.error is None:
                job.error = Permanent(questions.HOLD)
            if job not in judged or job.error is not None:
                self._finish(job)
            else:
                self._begin_or_feed(job)

    def _on_feed(self, jobs: list[Job]) -> None:
        faultpoints.at("fed", jobs)
        known = ledger.known({j.connection.pk: [c.order_id for c in j.changes] for j in jobs if not j.error})
        load_start_ids([job for job in jobs if job.changes and not job.error])
        good = [job for job in jobs if job.error is None]
        for job in good:
            job.sort(known)
        add_sent_before(good)
        add_rereads(good)
        load_open_orders(good)
        for job in jobs:
            if job.error is not None:
                self._finish(job)
                continue
            job.log.orders_found += len(job.to_read)
            self._go_on(job)

    def _on_read(self, jobs: list[Job]) -> None:
        faultpoints.at("read", jobs)
        try:
            self._owe([job for job in jobs if job.error is None])
        except DatabaseError:
            if len(jobs) == 1:
                logger.exception(
                    "Orders could not be recorded", extra={"connection": jobs[0].connection.name}
                )
                jobs[0].error = RemoteError("unknown", "DatabaseError")
            else:  # the fault of one connection's data must not stop the others
                for job in jobs:
                    self._on_read([job])
                return
        for job in jobs:
            self._go_on(job)

    def _owe(self, jobs: list[Job]) -> None:
        now = self.clock()
        with transaction.atomic():
            held = self._fence(jobs)
            ours = [job for job in jobs if job.connection.pk in held]
            for job in ours:
                ledger.note(job.connection, job.to_note, now)
                job.to_note = []
                if done := job.rereads & job.asked:
                    ledger.reread_done(job.connection.pk, done)
                    job.rereads -= done
                if job.holds_old_orders:
                    questions.ask(job.connection, QuestionKind.OLD_ORDERS, job.old_orders_detail, now)
            items = ledger.owe([found for job in ours for found in job.found], now)
        for job in jobs:
            if job not in ours:
                job.lost = True
            elif job.found:
                job.state.last_order_at = now
                job.log.orders_skipped += len(job.found)
        for item in items:
            self.jobs[item.connection_id].log.orders_skipped -= 1
        self._deliver([item for item in items if item.next_retry_at is not None])

    def _deliver(self, items: list[Any]) -> None:
        faultpoints.at("owed", items)
        connections = {item.connection_id: self.jobs[item.connection_id].connection for item in items}
        sessions = self.dispatcher.start(list(connections.values()))
        self.dispatcher.give(item for item in items if item.connection_id in sessions)
        self.dispatcher.run(sessions.values())

    def _go_on(self, job: Job) -> None:
        """The next step of a job that has been read and recorded up to here."""
        if job.error is not None or job.lost:
            self._finish(job)
        elif job.to_read:
            self._spawn(job, self._read, self._on_read)
        elif job.to_note:
            job.found = []
            self._on_read([job])
        elif job.page_is_last:
            job.complete = True
            self._finish(job)
        else:
            job.after_id = job.page_last_id
            if self.clock() < self.ends_at and not self.closing():
                self._spawn(job, self._feed, self._on_feed)
            else:
                self._finish(job)

    def _finish(self, job: Job) -> None:
        self.loop.emit(self._on_finished, job)

    def _on_finished(self, jobs: list[Job]) -> None:
        now = self.clock()
        for job in jobs:
            job.conclude(now)
        with transaction.atomic():
            held = self._fence(jobs)
            ours = [job for job in jobs if job.connection.pk in held]
            save_jobs(ours)
            faultpoints.at("window", ours)
            circuit_store.store({job.connection.pk: job.side for job in ours}, Side.ODOO)
            for job in ours:
                if job.doubted:
                    questions.check_at_once(
                        job.connection.pk, now, lost_stamp=job.lost_stamp, went_back=job.went_back
                    )
            idle = [job for job in ours if job.connection.pk not in self.dispatcher.active]
            self._write_logs(idle)
            leases.release_each(self._free_at(jobs, now), self.token)
        for job in jobs:
            self._next(job.lease_key)

    def _free_at(self, jobs: list[Job], now: datetime) -> dict[str, datetime | None]:
        """The leases that no further job of ours needs, with the pause their database asks for."""
        over = [job for job in jobs if not self.waiting.get(job.lease_key)]
        return {job.lease_key: job.free_at(now) for job in over}

    def _on_sessions_ended(self, sessions: list[DeliverySession]) -> None:
        """A receiver has been served; the log waits until its poll is over as well."""
        for session in sessions:
            job = self.jobs[session.connection.pk]
            job.log.orders_sent += session.sent
            job.log.orders_failed += session.failed
        self._write_logs([self.jobs[session.connection.pk] for session in sessions])

    def _write_logs(self, jobs: list[Job]) -> None:
        ended = [job for job in jobs if job.concluded and not job.logged]
        for job in ended:
            job.logged = True
            job.log.finished_at = self.clock()
        logs = [job.log for job in ended if job.polled]
        LOGS.insert_objects(logs)
        tracing.polls(logs)
        self.logs += logs

    def _fence(self, jobs: Sequence[Job]) -> set[int]:
        """First in a transaction: the connections that we still hold, that still exist and read this place.

        Whoever reads the new place of an edited one holds another lease: we must not write between theirs.
        """
        held = leases.renew((job.lease_key for job in jobs), self.token, now=self.clock())
        ours = ledger.lock(job.connection.pk for job in jobs if job.lease_key in held)
        return Connection.objects.unmoved(job.connection for job in jobs if job.connection.pk in ours)

    def _renew(self) -> None:
        keys = {job.lease_key for job in self.jobs.values() if not job.concluded}
        with transaction.atomic():
            leases.renew(keys, self.token, now=self.clock())
        self.dispatcher.renew()


def _guarded(job: Job, step: Callable[[Job], None]) -> Job:
    """A step's remote faults become the job's; a fault of ours stops this job only."""
    try:
        step(job)
    except RemoteError as error:
        job.error = on_side("odoo", error)
    except Exception as error:
        logger.exception("A poll failed in our own code", extra={"connection": job.connection.name})
        job.error = RemoteError("unknown", type(error).__name__)
    return job
