"""A whole history: played, brought to its end, judged, and undone."""

from collections import Counter
from dataclasses import dataclass, field

from django.db import transaction

from sync.models import Question, RetryItem, SentOrder
from tests.histories import oracle, settle
from tests.histories.player import Player


@dataclass
class Result:
    """What a history was made of, and what was wrong at its end."""

    violations: list = field(default_factory=list)
    log: list = field(default_factory=list)
    tally: Counter = field(default_factory=Counter)
    player: object = None
    error: BaseException | None = None


def play(plan):
    """Play one history in a transaction that is rolled back."""
    with transaction.atomic():
        result = Result()
        try:
            _play(plan, result)
        finally:
            transaction.set_rollback(True)
    return result


def _play(plan, result):
    player = result.player = Player(plan)
    world = player.world
    result.log = player.log
    with world.installed():
        try:
            player.play()
            settle.mend(player)
            settle.settle(player)
            result.violations += [f"after polls: {c}" for c in oracle.violations(world, checked=False)]
            settle.check_deeply(player)
            result.violations += [f"after checks: {c}" for c in oracle.violations(world, checked=True)]
            settle.assert_at_rest(player)
        except Exception as error:
            result.violations.append(f"{type(error).__name__}: {error}")
            result.error = error
    result.violations += world.own_faults
    result.tally = _count_events(player)


def _count_events(player):
    world = player.world
    taken = [each for hook in world.wire.hooks.values() for each in hook.taken]
    return Counter(
        histories=1,
        orders=sum(len(each.story.lives) for each in world.databases),
        versions=RetryItem.objects.count(),
        sent=SentOrder.objects.filter(seeded=False).count(),
        polls=player.runs.counts.get("poll", 0),
        deliveries=sum(hook.calls for hook in world.wire.hooks.values()),
        faults=sum(world.wire.faults.values()),
        crashes=player.runs.crashes,
        restores=world.restores,
        questions=Question.objects.count(),
        repeats=len(taken) - len({each.event_id for each in taken}),
    )
