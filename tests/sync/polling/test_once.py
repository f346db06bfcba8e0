"""runpoller --once: what is due is polled and delivered, told in one summary and in the exit code."""

import io
import json
from datetime import timedelta
from functools import partial

import pytest
from django.core.management import CommandError, call_command

from connections.models import Connection, pause
from sync.management.commands import runpoller
from sync.models import PollState
from sync.polling.once import run_once


@pytest.fixture
def once(world, monkeypatch):
    """runpoller --once on the world's clock, in this thread: what it printed, its error or None."""
    monkeypatch.setattr(runpoller, "run_once", partial(run_once, clock=world.clock, threads=0))

    def run(*arguments):
        page = io.StringIO()
        try:
            call_command("runpoller", "--once", *arguments, stdout=page)
        except CommandError as error:
            return page.getvalue(), str(error)
        return page.getvalue(), None

    return run


def test_what_is_due_is_polled_and_delivered(world, once):
    world.confirmed()
    world.confirmed()
    said, error = once("--json")
    assert error is None
    assert json.loads(said) == {
        "polled": 1,
        "found": 2,
        "sent": 2,
        "failed": 0,
        "not_polled": [],
        "errors": [],
    }
    assert len(world.got()) == 2


def test_what_is_not_due_is_polled_only_by_force(world, once):
    once()
    world.confirmed()
    world.clock.advance(5)
    assert once() == ("0 connections polled, 0 orders found, 0 sent, 0 failed tries.\n", None)
    said, _ = once("--force")
    assert said == "1 connections polled, 1 orders found, 1 sent, 0 failed tries.\n"


def test_due_retries_go_out_even_when_nothing_is_due_for_a_poll(world, once):
    world.receiver.set_mode("main", "500", count=1)
    world.confirmed()
    world.poll()
    assert world.got() == []
    world.clock.advance(58)
    PollState.objects.update(next_poll_at=world.clock() + timedelta(hours=1))
    said, error = once("--json")
    assert error is None
    assert (json.loads(said)["polled"], json.loads(said)["sent"]) == (0, 1)
    assert len(world.got()) == 1


def test_a_receiver_that_refuses_is_named_with_what_to_do(world, once):
    world.receiver.set_mode("main", "500")
    world.confirmed()
    said, error = once()
    assert "1 failed tries" in said
    assert said.splitlines()[1].startswith("Shop: ")
    assert error


def test_an_odoo_that_is_down_is_named_with_what_to_do(world, once):
    world.shop.faults.set("down")
    said, error = once("--json")
    [problem] = json.loads(said)["errors"]
    assert problem["connection"] == "Shop"
    assert problem["code"].startswith("odoo_")
    assert problem["next_step"]
    assert error


def test_who_was_left_out_is_named(world, once):
    pause([world.connection], by="me", reason="holiday")
    said, error = once("--force")
    assert "Not polled" in said and "Shop" in said
    assert error is None
    Connection.objects.update(enabled=False)
    assert once("--force") == ("0 connections polled, 0 orders found, 0 sent, 0 failed tries.\n", None)


@pytest.mark.parametrize("option", ["--force", "--json"])
def test_options_that_mean_nothing_alone_are_refused(option):
    with pytest.raises(CommandError, match="go with --once"):
        call_command("runpoller", option)
