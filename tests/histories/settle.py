"""The end of a history: everything works again, time passes, and nothing may be left to do."""

from datetime import timedelta

from connections.models import Lease, resume
from sync import ledger
from sync.models import PollState, Question, Reconciliation, RetryItem, Status
from sync.models.reconciliation import STUCK
from sync.polling import questions
from sync.repair import reconcile
from sync.repair.deep_check import deep_check
from tests.histories.network import Trouble

POLLS = 2  # of each connection: what came, and what was written in a second that was not over
MOST_ROUNDS = 400
MOST_CHECKS = 6


class Unsettled(AssertionError):
    """Something is stuck."""


def mend(player):
    """All trouble ends, every transaction commits, and a person has done what needs one."""
    world = player.world
    world.wire.meanwhile.clear()
    player.dies_at = ("", 0)
    world.shop.faults.clear()
    world.wire.slow = 0
    for hook in world.wire.hooks.values():
        hook.trouble = Trouble()
    world.let_everything_happen()
    player.everything_as_it_should_be()
    player.answer_questions()
    resume(world.connections)
    ledger.wake_deliveries([c.pk for c in world.connections], world.now)


def settle(player, *, polls=POLLS, again=0):
    """Poll until windows are read to their end, then deliver until nothing waits."""
    world = player.world
    PollState.objects.create_missing(world.now)
    seen = dict.fromkeys((c.pk for c in world.connections), 0)
    for _ in range(MOST_ROUNDS):
        if min(seen.values()) >= polls:
            break
        _sleep_until(world, PollState.objects.values_list("next_poll_at", flat=True))
        before = _successes()
        player.tick()
        player.answer_questions()
        for pk, (at, page_to) in _successes().items():
            seen[pk] = seen.get(pk, 0) + (page_to is None and at != before.get(pk, (None,))[0])
    else:
        raise Unsettled(f"polls do not come to an end: {list(PollState.objects.values())}")
    deliver_all(player)
    if PollState.objects.filter(has_rereads=True, hold="").exists():  # what waited for a delivery
        if again > MOST_CHECKS:
            raise Unsettled("orders wait to be read again for ever")
        settle(player, polls=1, again=again + 1)


def deliver_all(player):
    """Deliver what is owed, with a person to try again what failed or was discarded."""
    world = player.world
    ledger.retry_now(RetryItem.objects.filter(status__in=[Status.FAILED, Status.DISCARDED]), now=world.now)
    for _ in range(MOST_ROUNDS):
        if not RetryItem.objects.pending().exists():
            return
        due = PollState.objects.filter(deliver_at__isnull=False).values_list("deliver_at", flat=True)
        if not due:
            raise Unsettled(
                f"owed, and nobody is set to deliver it: {list(RetryItem.objects.pending().values())}"
            )
        _sleep_until(world, due)
        player.do_deliver(0, 0)
    raise Unsettled(f"deliveries do not come to an end: {list(RetryItem.objects.pending().values())}")


def check_deeply(player):
    """Checks of each connection until people have nothing more to answer, and what they found delivered.

    The first finds what is gone, or asks whether it is the same database; with the word of a person the next
    one tells it. So the last round is one in which nobody had to be asked: an answer given only after the
    checks held them back, and nothing of what they would have found was told.
    """
    for _ in range(MOST_CHECKS):
        for connection in [*player.world.connections]:
            _check_whole(player, connection)
        asked = Question.objects.unfinished().exists()
        player.answer_questions()
        settle(player, polls=1)
        now = player.world.now
        to_come, broken_off = Reconciliation.objects.under_way(now), Reconciliation.objects.broken_off(now)
        if not (asked or Question.objects.unfinished() or to_come or broken_off):
            return
        waiting = [each.next_at for each in to_come if each.progress == "waiting"]
        _sleep_until(player.world, waiting or [now + STUCK])  # until those of dead workers are ended
    raise Unsettled(f"questions do not come to an end: {list(Question.objects.unfinished().values())}")


def _check_whole(player, connection):
    """A deep check, the scheduled reconciliation, and the comparisons that checks asked for."""
    _deep_check(player, connection)
    if not PollState.objects.get(connection=connection).hold:
        repaired = _to_its_end(player, lambda: player.reconcile_as_scheduled(connection))
        assert repaired.progress == "done" or repaired.error_code == questions.HOLD, (
            repaired.error_code,
            repaired.error_detail,
        )
    for wanted in Reconciliation.objects.due(player.world.now):
        with player._run("reconciliation"):
            reconcile.run_step(wanted, clock=player.world.clock)


def _to_its_end(player, compare):
    """One comparison to its end.

    A long one is done in slices. One whose worker died is joined for as long as it may still be at work;
    only then another one is begun.
    """
    for _ in range(MOST_ROUNDS):
        found = compare()
        if found.progress in ("done", "failed"):
            return found
        player.world.pass_time(60)
    raise Unsettled(f"a comparison does not come to its end: {found.progress}, {found.counts}")


def assert_at_rest(player):
    """A second look at everything finds nothing, sends nothing and leaves nothing behind."""
    world = player.world
    taken = sum(len(hook.taken) for hook in world.wire.hooks.values())
    for connection in world.connections:
        again = _to_its_end(player, lambda of=connection: player._reconcile(of, repair=False))
        assert again.is_clean, ("not clean after a repair", again.differences)
        assert _deep_check(player, connection) == 0, "a second deep check finds something"
    world.pass_time(3600)
    settle(player, polls=1)
    assert sum(len(hook.taken) for hook in world.wire.hooks.values()) == taken, "something was sent at rest"
    assert not Lease.objects.filter(until__gt=world.now).exists(), "a lease is still held"
    for state in PollState.objects.all():
        assert state.deliver_at is None, "a delivery is due at rest"
        assert (state.failures, state.page_to, state.page_from) == (0, None, None), "a window is half read"
        assert state.next_poll_at <= world.now + timedelta(seconds=3600), "a poll was put off"


def _deep_check(player, connection):
    """Returns how many orders differed."""
    found = 0
    PollState.objects.filter(connection=connection).update(deep_after_id=None)  # from the beginning
    for _ in range(MOST_ROUNDS):
        with player._run("deep check"):
            log = deep_check(connection, clock=player.world.clock)
        if log is None:
            player.world.pass_time(60)
            continue
        if log.error_code == questions.HOLD:
            return found
        assert not log.error_code, (log.error_code, log.error_detail)
        found += log.orders_found - log.orders_skipped
        if PollState.objects.get(connection=connection).deep_after_id is None:
            return found
    raise Unsettled("deep checks do not come to an end")


def _successes():
    rows = PollState.objects.values_list("connection", "last_success_at", "page_to")
    return {pk: (at, page_to) for pk, at, page_to in rows}


def _sleep_until(world, moments):
    world.pass_time(max((min(moments) - world.now).total_seconds(), 2))
