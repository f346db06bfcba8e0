"""The pieces of `make run`: the first login, the sandbox's connections, the lines that show what flows."""

import json
import stat
import sys
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.core.management.base import CommandError

from connections.models import Connection
from sandbox.local import connections
from sandbox.local.first_user import login
from sandbox.local.order_lines import Flow
from sandbox.local.processes import Children
from tests import factories
from tests.conftest import NOON

SHOP = {
    "name": "shop17",
    "version": 17,
    "url": "http://127.0.0.1:8002",
    "database": "shop17",
    "username": "poller",
    "api_key": "sandbox-key-shop17",
    "webhook_url": "http://127.0.0.1:8001/hook/shop17",
    "webhook_secret": "whsec_c2FuZGJveC1vbmx5LXdlYmhvb2stc2VjcmV0",
}


@pytest.fixture
def state(tmp_path):
    def write(*accesses):
        (tmp_path / "sandbox.json").write_text(json.dumps(accesses))
        return tmp_path / "sandbox.json"

    return write


def test_the_first_login_is_made_once_and_told_again(db, tmp_path):
    first = login(tmp_path)
    name, _, password = first.partition(" / ")
    assert get_user_model().objects.get(username=name).check_password(password)
    assert stat.S_IMODE((tmp_path / "login.txt").stat().st_mode) == 0o600
    assert login(tmp_path) == first


def test_a_password_that_was_changed_is_not_told_wrongly(db, tmp_path):
    name, _, old = login(tmp_path).partition(" / ")
    user = get_user_model().objects.get(username=name)
    user.set_password("another-password")
    user.save()
    assert login(tmp_path) == "support (new password: manage.py changepassword support)"
    (tmp_path / "login.txt").unlink()
    assert old not in login(tmp_path)


def test_each_shop_of_the_sandbox_becomes_one_connection(db, state):
    file = state(SHOP, SHOP | {"database": "shop19", "name": "shop19", "version": 19})
    assert connections.connect(file) == 2
    assert connections.connect(file) == 0
    names = Connection.objects.values_list("name", flat=True)
    assert list(names) == ["Sandbox: Odoo 17 (shop17)", "Sandbox: Odoo 19 (shop19)"]


def test_a_sandbox_that_moved_keeps_its_connection(db, state):
    connections.connect(state(SHOP))
    known = Connection.objects.get()
    Connection.objects.update(name="Mine now", poll_interval_seconds=900)
    moved = SHOP | {"url": "http://127.0.0.1:9002", "api_key": "another-key"}
    assert connections.connect(state(moved)) == 0
    mended = Connection.objects.get()
    assert (mended.pk, mended.odoo_url, mended.api_key.reveal()) == (known.pk, moved["url"], "another-key")
    assert (mended.name, mended.poll_interval_seconds) == ("Mine now", 900)


def test_a_shop_that_cannot_be_a_connection_is_said(db, state):
    with pytest.raises(CommandError, match=r"(?s)sandbox-shop17.*not an address"):
        connections.connect(state(SHOP | {"url": "http://127.0.0.1:0"}))


def test_a_new_sandbox_goes_on_after_the_orders_of_the_last(make_connection, state):
    assert connections.newest_order() == 0
    connections.connect(state(SHOP))
    factories.seen(Connection.objects.get(), order_id=41)
    factories.seen(make_connection(), order_id=9000)
    assert connections.newest_order() == 41


@pytest.fixture
def happened(make_connection):
    """Records of one connection named "Shop 1"."""
    connection = make_connection()

    item = factories.owed(connection)

    def attempt(**values):
        return factories.tried(item, **{"duration_ms": 8, "delivered": True, "status": 200} | values)

    def poll(**values):
        return factories.logged(connection, **{"finished_at": NOON + timedelta(seconds=1)} | values)

    return attempt, poll


def test_flow_shows_new_lines_once_and_nothing_old(happened):
    attempt, poll = happened
    attempt(order_name="S-old")
    flow = Flow()
    poll()
    assert flow.lines() == []
    poll(orders_found=2, orders_sent=1, orders_failed=1)
    attempt(order_name="S7", version=3)
    attempt(
        order_name="S8", delivered=False, error_code="receiver_error", started_at=NOON + timedelta(seconds=2)
    )
    lines = [line.split(maxsplit=3) for line in flow.lines()]
    assert [line[0] for line in lines] == ["12:00:00", "12:00:01", "12:00:02"]
    assert lines[0][3].startswith("S7 v3")
    assert lines[0][3].endswith("delivered in 8 ms")
    assert lines[1][3] == "polled: 2 found, 1 sent, 1 failed"
    assert "not delivered: " in lines[2][3]
    assert flow.lines() == []


def test_flow_says_why_a_poll_failed_and_counts_what_would_flood(happened):
    attempt, poll = happened
    flow = Flow()
    poll(error_code="odoo_access_denied")
    for number in range(25):
        attempt(order_id=number, order_name=f"S{number}")
    lines = flow.lines()
    assert len(lines) == 12
    assert lines[10].endswith("and 15 more orders")
    assert "poll failed: " in lines[11]


def test_children_are_stopped_last_first_and_killed_when_they_do_not_listen(tmp_path):
    children = Children(tmp_path / "logs")
    deaf = "import signal as s; s.signal(s.SIGTERM, s.SIG_IGN); print('up', flush=True); s.pause()"
    children.start("deaf", sys.executable, "-c", deaf)
    children.start("meek", sys.executable, "-c", "import signal; signal.pause()")
    assert children.gone() is None
    while "up" not in children.all[0].last_lines():
        pass
    children.stop(hurry=lambda: not children.all[1].is_alive())
    assert [child.process.returncode for child in children.all] == [-9, -15]


def test_a_child_that_ends_by_itself_is_noticed_with_its_last_lines(tmp_path):
    children = Children(tmp_path / "logs")
    child = children.start("broken", sys.executable, "-c", "raise SystemExit('no, thanks')")
    child.process.wait()
    assert children.gone() is child
    assert child.last_lines() == "no, thanks"
    children.stop(hurry=lambda: False)
