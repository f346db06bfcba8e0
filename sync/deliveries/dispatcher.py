"""Deliver what is owed: many receivers at once, one session each, results recorded in small batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import prefetch_related_objects
from django.utils import timezone

from connections import circuit, circuit_store, faultpoints, leases
from connections.models import Connection, Side, pause
from connections.receiver.delivery import deliver
from core.background.batches import Loop
from sync import ledger, tracing
from sync.deliveries.session import Clock, Closing, DeliverySession, never
from sync.ledger import Tried
from sync.models import PollState, RetryItem

CHUNK = 100  # items in memory per receiver


class Dispatcher:
    """All receivers that one task serves, on one loop."""

    def __init__(
        self,
        loop: Loop,
        token: str,
        clock: Clock,
        then: Callable[[list[DeliverySession]], None],
        closing: Closing = never,
    ) -> None:
        self.loop, self.token, self.clock, self.then, self.closing = loop, token, clock, then, closing
        self.active: dict[int, DeliverySession] = {}

    def take_over(self, token: str, connections: Sequence[Connection]) -> None:
        """What was claimed for this task with `token` is ours alone."""
        with transaction.atomic():
            leases.take_over((c.webhook_lease_key for c in connections), token, self.token, now=self.clock())

    def start(self, connections: Sequence[Connection]) -> dict[int, DeliverySession]:
        """Sessions for those of these connections whose webhook lease we get and whose side may be called."""
        faultpoints.at("serving")
        now = self.clock()
        with transaction.atomic():
            wanted = {c.webhook_lease_key: c for c in connections if c.pk not in self.active}
            leases.claim(wanted, self.token, now=now)
            held = leases.renew(wanted, self.token, now=now)
            chosen = [wanted[key] for key in held]
            states = circuit_store.load((c.pk for c in chosen), Side.WEBHOOK, now)
        prefetch_related_objects(chosen, "retired_secrets")
        until = now + timedelta(seconds=leases.LEASE_SECONDS)
        for connection in chosen:
            side = states[connection.pk]
            session = DeliverySession(connection, side, clock=self.clock, closing=self.closing, until=until)
            self.active[connection.pk] = session
        return {pk: self.active[pk] for pk in (c.pk for c in connections) if pk in self.active}

    def give(self, items: Iterable[RetryItem]) -> None:
        """More to send for receivers that are being served."""
        for item in items:
            self.active[item.connection_id].give([item])

    def run(self, sessions: Iterable[DeliverySession]) -> None:
        """Open senders. A session that has sent all it was given gets what else is due, or ends."""
        idle = []
        for session in sessions:
            self._open_senders(session)
            if not session.senders:
                idle.append(session)
        if idle:
            more = self._settle(idle)
            for session in more:
                session.give(self._due(session))
            self.run(more)

    def _open_senders(self, session: DeliverySession) -> None:
        for _ in range(session.free_senders()):
            session.senders += 1
            self.loop.spawn(lambda: self._send_all(session), self._senders_ended, gather=True)

    def renew(self) -> None:
        """Keep the leases of long sessions; one that was lost ends. People's pauses are noticed here too."""
        now = self.clock()
        keys = {session.connection.webhook_lease_key: session for session in self.active.values()}
        with transaction.atomic():
            held = leases.renew(keys, self.token, now=now)
            states = circuit_store.load(self.active, Side.WEBHOOK, now)
        for key, session in keys.items():
            session.side.paused = states[session.connection.pk].paused
            session.leased_until = now + timedelta(seconds=leases.LEASE_SECONDS) if key in held else now

    def _send_all(self, session: DeliverySession) -> DeliverySession:
        while not self.loop.stopped and (item := session.take()) is not None:
            faultpoints.at("sending", item)
            body, event_id = bytes(item.body or b""), item.event_id
            outcome = deliver(session.receiver, body, event_id=event_id, now=self.clock())
            faultpoints.at("answered", outcome)
            session.judge(item, outcome)
            self.loop.emit(self._record, (session, Tried(item, outcome)))
        return session

    def _senders_ended(self, sessions: list[DeliverySession]) -> None:
        for session in sessions:
            session.senders -= 1
        # What these lanes sent has to be on record before more of the same receiver is loaded.
        self.loop.flush(self._record)
        self.run(dict.fromkeys(sessions))

    def _record(self, results: list[tuple[DeliverySession, Tried]]) -> None:
        faultpoints.at("recording")
        now = self.clock()
        sessions = {session.connection.pk: session for session, _ in results}
        with transaction.atomic():
            held = leases.renew(
                (d.connection.webhook_lease_key for d in sessions.values()), self.token, now=now
            )
            there = ledger.lock(sessions)
            ours = {
                pk: d for pk, d in sessions.items() if pk in there and d.connection.webhook_lease_key in held
            }
            tries = [tried for session, tried in results if session.connection.pk in ours]
            ledger.record(tries, now)
            circuit_store.store({pk: session.side for pk, session in ours.items()}, Side.WEBHOOK)
            ledger.release_held((pk for pk, session in ours.items() if session.closed_again), now)
        for pk, session in sessions.items():
            session.closed_again = False
            session.leased_until = now + timedelta(seconds=leases.LEASE_SECONDS) if pk in ours else now
        tracing.deliveries(tries)
        for tried in tries:
            ours[tried.item.connection_id].count(tried)
        faultpoints.at("recorded")

    def _due(self, session: DeliverySession) -> list[RetryItem]:
        """The next versions of one receiver; while half open any that waits, least recently tried first."""
        now = self.clock()
        mine = RetryItem.objects.filter(connection=session.connection)
        allowed = circuit.calls_allowed(session.side.health, now)
        chosen = mine.due(now) if session.side.health.state == circuit.CLOSED else mine.pending()
        return list(chosen.order_by("next_retry_at", "id")[: CHUNK if allowed is None else allowed])

    def _settle(self, sessions: list[DeliverySession]) -> list[DeliverySession]:
        """End those that have nothing to do now, and say when they have; returns the others."""
        now = self.clock()
        by_pk = {session.connection.pk: session for session in sessions}
        with transaction.atomic():
            held = leases.renew((d.connection.webhook_lease_key for d in sessions), self.token, now=now)
            ours = ledger.lock(pk for pk, d in by_pk.items() if d.connection.webhook_lease_key in held)
            due = {pk: by_pk[pk].due_at(at, now) for pk, at in ledger.first_due(ours).items()}
            more = [by_pk[pk] for pk, at in due.items() if at <= now and not by_pk[pk].is_over]
            ended = [session for session in sessions if session not in more]
            _set_due({d.connection.pk: due.get(d.connection.pk) for d in ended if d.connection.pk in ours})
            free = {d.connection.webhook_lease_key: d.free_at(now) for d in ended}
            leases.release_each(free, self.token)
            pause([d.connection for d in ended if d.gone], by="", reason="HTTP 410", sides=(Side.WEBHOOK,))
        for session in ended:
            del self.active[session.connection.pk]
        if ended:
            self.then(ended)
        return more


def _set_due(moments: dict[int, datetime | None]) -> None:
    """When each of these receivers is due again; None where nothing waits."""
    at_rest = [pk for pk, at in moments.items() if at is None]
    PollState.objects.filter(connection__in=at_rest).update(deliver_at=None)
    for pk, at in moments.items():
        if at is not None:
            PollState.objects.filter(connection=pk).update(deliver_at=at)


def deliver_due(
    token: str,
    ids: Sequence[int],
    *,
    clock: Clock = timezone.now,
    threads: int | None = None,
    closing: Closing = never,
) -> list[DeliverySession]:
    """Send what is owed and due on these connections, whose webhook leases were claimed with `token`.

    Once `closing()` says so, no further try begins: what is left stays owed and due.
    """
    loop = Loop(settings.TASK_THREADS if threads is None else threads)
    finished: list[DeliverySession] = []
    dispatcher = Dispatcher(loop, leases.new_token(), clock, finished.extend, closing)
    loop.every(leases.RENEW_SECONDS, dispatcher.renew)
    connections = list(Connection.objects.enabled().filter(pk__in=ids))
    dispatcher.take_over(token, connections)
    dispatcher.run(dispatcher.start(connections).values())
    loop.run()
    return finished
