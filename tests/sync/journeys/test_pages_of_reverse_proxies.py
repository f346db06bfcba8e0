"""A page in front of Odoo: a check for browsers, maintenance, a firewall. It goes as it came."""

import pytest

from sandbox.http.answer import Answer
from sync import findings
from sync.models import SyncLog


def show(world, status, body=b"<html><title>Just a moment...</title>", kind="text/html"):
    page = Answer(status, body, {"Content-Type": kind})
    handle, world.odoo.handle = world.odoo.handle, lambda *request: page
    return handle


@pytest.mark.parametrize(
    ("status", "code"),
    [(403, "odoo_web_page"), (503, "odoo_unavailable"), (200, "odoo_not_odoo"), (302, "odoo_redirect")],
)
def test_after_an_hour_behind_a_page_orders_are_there_within_two_minutes(world, status, code):
    handle = show(world, status)
    world.wait(hours=1, tick=30)
    assert world.state.error_code == code
    assert {finding.code for finding in findings.watch(clock=world.clock)} == {
        "polls_fail",
        "odoo_circuit_open",
    }
    world.confirmed()
    world.odoo.handle = handle
    world.wait(seconds=125, tick=5)
    assert len(world.got()) == 1


@pytest.mark.parametrize(
    ("status", "body", "kind"), [(401, b"<html>", "text/html"), (403, b"error code: 1020", "text/plain")]
)
def test_what_a_person_has_to_mend_is_still_asked_patiently(world, status, body, kind):
    show(world, status, body, kind)
    world.wait(hours=1, tick=30)
    polls = SyncLog.objects.count()
    world.wait(hours=1, tick=30)
    assert SyncLog.objects.count() - polls <= 5


@pytest.mark.parametrize("status", [200, 302])
def test_an_address_that_never_was_an_odoo_is_asked_patiently(make_world, status):
    world = make_world()
    show(world, status)
    world.wait(hours=1, tick=30)
    polls = SyncLog.objects.count()
    world.wait(hours=1, tick=30)
    assert SyncLog.objects.count() - polls <= 5
