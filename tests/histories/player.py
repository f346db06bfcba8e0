"""Plays a plan: what happens in the shop, what workers and people do, and what goes wrong."""

import random
from contextlib import contextmanager
from datetime import timedelta

from connections.errors import RemoteError
from connections.models import Circuit, pause, resume
from sync import due as sync_due
from sync import ledger, retention
from sync.deliveries import dispatcher
from sync.models import PollState, Reconciliation, RetryItem, Status
from sync.polling import poll
from sync.repair import reconcile, resend
from sync.repair.deep_check import deep_check
from tests.histories import sources
from tests.histories.network import KEPT, Trouble
from tests.histories.sources import SourceSteps
from tests.histories.world import World

SHOP_FAULTS = ("down", "pg_down", "error_500", "bad_gateway", "html", "garbage", "rate_limit", "hang")
HOOK_FAULTS = (KEPT, "500", "503", "429", "hang")
HOOK_FAULTS += ("drop", "refuse_connection", "422", "401", "302", "410", "408")
WAITS = (0.2, 0.7, 1, 2, 5, 31, 61, 61, 125, 300, 900, 1300, 4000)
JUMPS = (1, -1, 20, -20, 35, -35, 120, -120, 300, -300, 600, -600, 2400, -2400)
STALLS = (5, 20, 61, 100, 400, 1500)
CONFIRMED = ("sale", "done")
CRASHES = ("statement", "point", "call", "answer", *("statement", "statement", "call", "answer") * 3)
MOST = {"statement": 60, "point": 20, "call": 5, "answer": 5}


class Player(SourceSteps):
    """One history. `play()` takes the steps; `settle()` is the end, when everything works again."""

    def __init__(self, plan):
        self.plan = plan
        random.seed(plan.salt)  # the jitter of retries
        self.world = World(plan.settings)
        self.till, self.runs = self.world.till, self.world.runs
        self.held = []  # claims whose task runs late, or twice
        self.dies_at = ("", 0)
        self.log = []

    def play(self):
        for what, a, b in self.plan.steps:
            name = STEPS[what % len(STEPS)]
            self.log.append((name, a, b, self.world.now))
            getattr(self, "do_" + name)(a, b)
            self.world.pass_time(0.003)

    # --- in the shop --------------------------------------------------------------------------------

    def do_sell(self, a, b):
        self.till.sell((1, 1, 1, 2, 3, 7, 12)[a % 7], b)

    def do_quote(self, a, b):
        self.till.quote(a)

    def do_confirm(self, a, b):
        self._to_an_order(self.till.confirm, a, b, "draft")

    def do_edit(self, a, b):
        order_id = self.till.pick(a, *CONFIRMED)
        if order_id:
            self.till.edit(order_id, b, self.till.delayed(b // 9))

    def do_touch(self, a, b):
        order_id = self.till.pick(a, *CONFIRMED, "cancel")
        if order_id:
            self.till.touch(order_id, self.till.delayed(b), times=1 + b % 3)

    def do_within_a_second(self, a, b):
        """An order is sold, polled and written again before its second is over, and polled once more."""
        self.till.sell(1, 0)
        self.do_poll(0, 0)
        self.world.pass_time(b % 10 / 10)
        self.do_edit(a, b % 9)
        if b % 3:
            self.do_poll(0, 0)

    def do_there_and_back(self, a, b):
        order_id = self.till.pick(a, *CONFIRMED)
        if order_id:
            self.till.there_and_back(order_id, b)

    def do_cancel(self, a, b):
        self._to_an_order(self.till.cancel, a, b, "sale")

    def do_draft_again(self, a, b):
        self._to_an_order(self.till.draft_again, a, b, "cancel")

    def do_delete(self, a, b):
        self._to_an_order(self.till.delete, a, b, "cancel", "draft")

    def do_cancel_and_confirm(self, a, b):
        self._to_an_order(self.till.cancel_and_confirm, a, b, "sale")

    def do_cancel_and_delete(self, a, b):
        self._to_an_order(self.till.cancel_and_delete, a, b, "sale")

    def do_lock(self, a, b):
        order_id = self.till.pick(a, *CONFIRMED)
        if order_id:
            self.till.lock(order_id, b)

    def do_deliver_fully(self, a, b):
        order_id = self.till.pick(a, *CONFIRMED)
        if order_id:
            self.till.deliver_fully(order_id)

    def do_edit_silently(self, a, b):
        order_id = self.till.pick(a, *CONFIRMED)
        if order_id:
            self.till.edit_silently(order_id, b, self.till.delayed(b // 3))

    def _to_an_order(self, verb, a, b, *states):
        order_id = self.till.pick(a, *states)
        if order_id:
            verb(order_id, self.till.delayed(b))

    # --- time ---------------------------------------------------------------------------------------

    def do_wait(self, a, b):
        self.world.pass_time(WAITS[a % len(WAITS)] + b % 100 / 100)

    def do_sleep(self, a, b):
        """Now and then nothing happens for days, and what is old ages out."""
        if a % 6 == 0:
            self.world.pass_time((1.1, 2, 8, 35, 70)[b % 5] * 86_400)
            self.do_housekeep(0, 0)

    def do_watch(self, a, b):
        """Time passes with the poller running."""
        end = self.world.now + timedelta(seconds=WAITS[a % len(WAITS)])
        for _ in range(20):
            at = self._next_due()
            if at is None or at > end:
                break
            self.world.pass_time(max((at - self.world.now).total_seconds(), 0.05))
            self.tick()
        if self.world.now < end:
            self.world.pass_time((end - self.world.now).total_seconds())

    def do_jump(self, a, b):
        self.world.jump(JUMPS[a % len(JUMPS)])

    def _next_due(self):
        moments = [
            at for row in PollState.objects.values_list("next_poll_at", "deliver_at") for at in row if at
        ]
        return min(moments, default=None)

    # --- workers ------------------------------------------------------------------------------------

    def tick(self):
        PollState.objects.create_missing(self.world.now)
        self._poll(self._claimed(sync_due.claim_polls))
        self._deliver(self._claimed(sync_due.claim_deliveries))

    def do_poll(self, a, b):
        """Polls, due or not."""
        PollState.objects.create_missing(self.world.now)
        PollState.objects.wake(self.world.now)
        self._poll(self._claimed(sync_due.claim_polls))

    def do_deliver(self, a, b):
        self._deliver(self._claimed(sync_due.claim_deliveries))

    def do_claim(self, a, b):
        """A claim whose task waits in the queue."""
        if a % 2:
            PollState.objects.wake(self.world.now)
            self.held.append((self._poll, self._claimed(sync_due.claim_polls)))
        else:
            self.held.append((self._deliver, self._claimed(sync_due.claim_deliveries)))

    def do_late_task(self, a, b):
        """A task that waited is run, and perhaps once more."""
        if self.held:
            run, claim = self.held[a % len(self.held)]
            run(claim)
            if b % 2:
                self.held.remove((run, claim))

    def do_deep_check(self, a, b):
        with self._run("deep check"):
            deep_check(self._connection(a), clock=self.world.clock)

    def do_due_checks(self, a, b):
        """What the schedule does each minute."""
        due = PollState.objects.deep_check_due(self.world.now).values_list("pk", flat=True)
        for pk in list(due):
            with self._run("deep check"):
                deep_check(self.world.connection_of(pk), clock=self.world.clock)
        due = PollState.objects.reconciliation_due(self.world.now).values_list("pk", flat=True)
        for pk in list(due):
            self.reconcile_as_scheduled(self.world.connection_of(pk))
        for wanted in Reconciliation.objects.due(self.world.now):
            with self._run("reconciliation"):
                reconcile.run_step(wanted, clock=self.world.clock)

    def do_reconcile(self, a, b):
        self._reconcile(self._connection(a), repair=b % 3 > 0)

    def do_housekeep(self, a, b):
        with self._run("housekeeping"):
            retention.housekeep(self.world.now, clock=self.world.monotonic)

    def _claimed(self, claim):
        with self._run("claim", mortal=False):
            return claim(self.world.now, 10)
        return "", []

    def _poll(self, claim):
        token, ids = claim
        if ids:
            with self._run("poll"):
                poll.poll(token, ids, clock=self.world.clock, threads=0)

    def _deliver(self, claim):
        token, ids = claim
        if ids:
            with self._run("delivery"):
                dispatcher.deliver_due(token, ids, clock=self.world.clock, threads=0)

    def _reconcile(self, connection, *, repair):
        with self._run("reconciliation"):
            since = self.world.now - timedelta(days=2)
            asked = reconcile.ask(connection, since=since, repair=repair, now=self.world.now)
            return reconcile.run_step(asked, clock=self.world.clock)

    def reconcile_as_scheduled(self, connection):
        with self._run("reconciliation"):
            return reconcile.reconcile_due(connection, clock=self.world.clock)

    def _connection(self, number):
        PollState.objects.create_missing(self.world.now)
        return self.world.connections[number % len(self.world.connections)]

    # --- people -------------------------------------------------------------------------------------

    def do_resend(self, a, b):
        connection = self._connection(a)
        order_id = self.till.pick(b)
        if not order_id:
            return
        which = ({"order_ids": [order_id]}, {"names": [f"S{order_id:05d}"]}, {"last": 1 + b % 3})[a % 3]
        with self._run("resend"):
            try:
                resend.resend(connection, **which, clock=self.world.clock)
                home = self.world.database_called(connection.database)
                self.world.homes.setdefault(connection.pk, home)  # its ledger is of this one now
            except (resend.Busy, resend.NoSuchOrder, RemoteError):
                return

    def do_retry(self, a, b):
        """Somebody presses the button, maybe more than once."""
        for _ in range(1 + b % 3):
            with self._run("retry"):
                ledger.retry_now(self._items(a), now=self.world.now)

    def do_discard(self, a, b):
        with self._run("discard"):
            ledger.discard(self._items(a), by="ana", reason="a test", now=self.world.now)

    def do_pause(self, a, b):
        sides = (("odoo",), ("webhook",), ("odoo", "webhook"))[b % 3]
        pause([self._connection(a)], by="ana", reason="a test", sides=sides)

    def do_resume(self, a, b):
        resume([self._connection(a)])
        if b % 3 == 0:
            Circuit.objects.filter(connection=self._connection(a)).reset()
        ledger.wake_deliveries([self._connection(a).pk], self.world.now)

    def _items(self, number):
        ids = list(RetryItem.objects.exclude(status=Status.SENT).order_by("id").values_list("pk", flat=True))
        chosen = ids if number % 5 == 0 else ids[number % len(ids) :][:1] if ids else []
        return RetryItem.objects.filter(pk__in=chosen)

    # --- trouble ------------------------------------------------------------------------------------

    def do_break_shop(self, a, b):
        count = (1, 1, 2, 3, 6, None)[b % 6]
        self.world.shop.faults.set(
            SHOP_FAULTS[a % len(SHOP_FAULTS)], count=count, retry_after=str((2, 90, 700)[b % 3])
        )

    def do_mend_shop(self, a, b):
        self.world.shop.faults.clear()

    def do_break_hook(self, a, b):
        left = (1, 1, 2, 3, 7, None)[b % 6]
        hook = self.world.hook(self._connection(a))
        hook.trouble = Trouble(HOOK_FAULTS[a % len(HOOK_FAULTS)], left, (0, 3, 150, 600)[b % 4])

    def do_mend_hook(self, a, b):
        self.world.hook(self._connection(a)).trouble = Trouble()

    def do_crash(self, a, b):
        """The next worker dies at some statement or fault point, or before or after some call."""
        what = CRASHES[a % len(CRASHES)]
        self.dies_at = (what, 1 + b % MOST[what])

    def do_meanwhile(self, a, b):
        """While a call of the next worker is under way, somebody else does something."""
        kind = MEANWHILE[a % len(MEANWHILE)]
        self.world.wire.meanwhile.append((b % 4, lambda: self._meanwhile(kind, a // 7, b // 4)))

    def _meanwhile(self, kind, a, b):
        self.log.append(("meanwhile " + kind, a, b, self.world.now))
        run = self.runs.current
        getattr(self, "do_" + kind)(a, b)
        run.robbed = True

    def do_stall(self, a, b):
        """The worker's host sleeps; another one goes on with the work."""
        self.world.pass_time(STALLS[a % len(STALLS)])
        if b % 2:
            self.tick()

    def do_tick_late(self, a, b):
        """The same, long enough for every lease to end, and the other one is back at work before it wakes."""
        self.do_edit(a, b % 9)
        self.world.pass_time(61)
        PollState.objects.wake(self.world.now)
        self.tick()

    @contextmanager
    def _run(self, kind, *, mortal=True):
        dies_at, self.dies_at = (self.dies_at, ("", 0)) if mortal else (("", 0), self.dies_at)
        with self.runs.run(kind, dies_at):
            yield
        if self.runs.current is None:
            self.world.note_beginnings()


WEIGHTS = {
    "sell": 9,
    "quote": 1,
    "confirm": 2,
    "edit": 7,
    "touch": 2,
    "within_a_second": 1,
    "there_and_back": 1,
    "cancel": 3,
    "draft_again": 2,
    "delete": 1,
    "cancel_and_confirm": 1,
    "cancel_and_delete": 1,
    "lock": 1,
    "deliver_fully": 1,
    "edit_silently": 2,
    "wait": 7,
    "watch": 4,
    "sleep": 1,
    "jump": 2,
    "poll": 12,
    "deliver": 4,
    "claim": 1,
    "late_task": 1,
    "deep_check": 1,
    "due_checks": 3,
    "reconcile": 1,
    "housekeep": 1,
    "resend": 2,
    "retry": 2,
    "discard": 1,
    "pause": 1,
    "resume": 1,
    "break_shop": 3,
    "mend_shop": 2,
    "break_hook": 4,
    "mend_hook": 2,
    "crash": 5,
    "meanwhile": 7,
    **sources.WEIGHTS,
}
STEPS = [name for name, weight in WEIGHTS.items() for _ in range(weight)]
MEANWHILE = (
    "edit",
    "sell",
    "cancel",
    "cancel_and_confirm",
    "poll",
    "deliver",
    "resend",
    "retry",
    "discard",
    "deep_check",
    "stall",
    "stall",
    "stall",
    "tick_late",
    "pause",
    "another_database",
    "swapped",
)
