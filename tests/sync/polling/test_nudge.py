"""A nudge makes a connection due at once, survives a running poll, and tells an unknown caller nothing."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import OperationalError

from connections.models import Circuit
from sync import due
from sync.models import NudgeToken, PollState
from sync.polling import poll
from sync.polling.nudge import nudge, nudge_path, renew, token_of


@pytest.fixture
def token(world):
    return token_of(world.connection, world.clock())


def tick(world):
    """What the poller does each second. Returns whether the connection was polled."""
    token, ids = due.claim_polls(world.clock(), 10)
    poll.poll(token, ids, clock=world.clock, threads=0)
    world.deliver()
    return bool(ids)


def wait(world, **parts):
    world.clock.advance(**parts)
    cache.clear()  # it counts real seconds


def quiet(world):
    """Polled just now: nothing is due for a minute."""
    world.poll()
    wait(world, seconds=10)
    assert not tick(world)


def test_a_nudged_connection_is_polled_by_the_next_tick(world, token):
    quiet(world)
    world.confirmed()
    wait(world, seconds=2)
    nudge(token, world.clock())
    assert tick(world)
    assert len(world.got()) == 1


@pytest.mark.parametrize(("takes", "until_seen"), [(1, 3), (8, 12), (30, 45)])
def test_a_nudge_that_outruns_its_orders_commit_is_looked_at_again(make_world, takes, until_seen):
    """Each is looked at 3, 12 and 45 seconds after the nudge; shops are polled every ten minutes here."""
    world = make_world(poll_interval_seconds=600)
    quiet(world)
    order_id = world.quotation()
    tx = world.shop.begin()
    world.shop.confirm(order_id, tx=tx)
    nudge(token_of(world.connection, world.clock()), world.clock())
    polled_after = []
    for second in range(120):
        if second == takes:
            tx.commit()
        polled_after += [second] if tick(world) else []
        assert len(world.got()) == (second >= until_seen)
        wait(world, seconds=1)
    assert polled_after == [0, 3, 12, 45]
    assert PollState.objects.get().nudged_at is None


def test_a_nudge_during_a_poll_outlives_it(world, token, monkeypatch):
    quiet(world)
    read = poll._Poll._feed

    def slow(self, job):
        read(self, job)
        world.clock.advance(5)
        nudge(token, world.clock())

    monkeypatch.setattr(poll._Poll, "_feed", slow)
    world.poll()
    monkeypatch.undo()
    assert PollState.objects.get().next_poll_at > world.clock()
    assert tick(world)


def test_nudges_close_together_are_one(world, token, django_assert_num_queries):
    nudge(token, world.clock())
    with django_assert_num_queries(0):
        nudge(token, world.clock() + timedelta(milliseconds=300))
    assert PollState.objects.get().nudged_at == world.clock()


def test_a_failing_connection_keeps_its_own_clock(world, token):
    world.shop.faults.set("error_500")
    world.poll()
    Circuit.objects.filter(side="odoo").update(state="open", failures=5, opened_at=world.clock())
    wait(world, seconds=1)
    nudge(token, world.clock())
    assert not tick(world)
    assert PollState.objects.get().nudged_at is None


def test_a_paused_connection_is_not_polled_and_forgets_the_nudge(world, token):
    quiet(world)
    Circuit.objects.update_or_create(
        connection=world.connection, side="odoo", defaults={"paused_at": world.clock()}
    )
    nudge(token, world.clock())
    assert not tick(world)
    wait(world, seconds=91)
    tick(world)
    assert PollState.objects.get().nudged_at is None


def test_an_unknown_token_changes_nothing(world, token):
    nudge(token + "x", world.clock())
    nudge("", world.clock())
    assert PollState.objects.get().nudged_at is None


def test_a_renewed_token_ends_the_old_one(world, token):
    fresh = renew(world.connection, world.clock())
    nudge(token, world.clock())
    assert PollState.objects.get().nudged_at is None
    nudge(fresh, world.clock())
    assert PollState.objects.get().nudged_at == world.clock()
    assert token_of(world.connection, world.clock()) == fresh


def test_the_token_is_not_readable_in_the_database(world, token):
    row = NudgeToken.objects.extra(select={"raw": "token"}).get()
    assert token.encode() not in bytes(row.raw)
    assert repr(row.token) == "Secret('********')"


@pytest.mark.parametrize("known", [True, False])
class TestAnswers:
    @pytest.fixture
    def path(self, token, known):
        return nudge_path(token if known else "no-such-token")

    def test_every_token_gets_the_same_answer(self, client, path):
        answer = client.post(path, data=b'{"_id": 7}', content_type="application/json")
        assert (answer.status_code, answer.json()) == (202, {"status": "ok"})
        assert client.post(path.rstrip("/")).status_code == 202

    def test_only_post(self, client, path):
        answer = client.get(path)
        assert (answer.status_code, answer["Allow"]) == (405, "POST")

    def test_a_large_body_is_refused_unread(self, client, path):
        assert client.post(path, data=b"x" * 70_000, content_type="text/plain").status_code == 413
        assert client.post(path, CONTENT_LENGTH="-1").status_code == 413

    def test_nothing_is_logged(self, client, path, caplog):
        client.get(path)
        client.post(path, data=b"x" * 70_000, content_type="text/plain")
        assert path.split("/")[2] not in caplog.text

    def test_a_database_that_is_away_is_not_now(self, client, path, monkeypatch):
        def away(*args):
            raise OperationalError

        monkeypatch.setattr("sync.views.take_nudge", away)
        assert client.post(path).status_code == 503
