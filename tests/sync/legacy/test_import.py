"""The day of the switch: what the old poller sent is not sent again, and what it missed arrives."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command

from connections.models import Connection
from sync.ledger.balance import imbalances
from sync.models import PollState, RetryItem, SeenOrder, SentOrder
from sync.repair import deep_check
from tests.sync.legacy.old_poller import OldPoller, text


@pytest.fixture
def switch(make_world, clock, tmp_path, monkeypatch):
    """A shop of which only the old poller knows, an hour after that began."""
    monkeypatch.setattr("django.utils.timezone.now", clock)
    world = make_world()
    old = OldPoller(tmp_path / "poller.db", clock)
    world.confirmed()  # before its time: none of its business, and none of ours
    clock.advance(hours=1)
    old.connect(world)
    Connection.objects.all().delete()
    clock.advance(hours=1)
    return Switch(world, old)


class Switch:
    def __init__(self, world, old):
        self.world, self.old, self.shop, self.clock = world, old, world.shop, world.clock

    def order(self, *, sent=True, seconds=60):
        """An order, sent by the old poller after a while."""
        order_id = self.world.confirmed()
        self.clock.advance(seconds)
        if sent:
            self.old.sent(self.shop, order_id)
        return order_id

    def load(self, *words, key=None):
        """Run the command; returns its JSON."""
        out = StringIO()
        line = ["importlegacy", str(self.old.path), f"--key={key or self.old.key}", "--json", *words]
        call_command(*line, stdout=out)
        return json.loads(out.getvalue())["connections"]

    def go_on(self, **parts):
        """The old poller has stopped: import, enable, and let our own run for a while."""
        self.clock.advance(30)
        rows = self.load("--enable")
        self.world.connection = Connection.objects.get()
        self.world.wait(**parts or {"minutes": 3})
        deep_check.deep_check(self.world.connection, clock=self.clock)
        self.world.wait(minutes=1)
        assert imbalances() == []
        return rows

    @property
    def got(self):
        return [(d.body["order"]["id"], d.event) for d in self.world.hook.deliveries if d.status < 300]


def test_what_was_sent_and_not_written_since_is_never_sent_again(switch):
    orders = [switch.order() for _ in range(3)]
    rows = switch.go_on()
    assert rows[0]["sent"] == 3
    assert switch.got == []
    assert SentOrder.objects.filter(seeded=False, order_id__in=orders, version=1).count() == 3
    switch.world.wait(hours=25, tick=600)
    assert switch.got == []


def test_a_change_after_the_first_reading_is_an_update(switch):
    order_id = switch.order()
    switch.go_on()
    switch.shop.edit_order(order_id, note="<p>new</p>")
    switch.world.wait(minutes=3)
    assert switch.got == [(order_id, "order.updated")]
    assert switch.world.hook.deliveries[-1].version == 2


def test_a_touch_after_the_first_reading_sends_nothing(switch):
    order_id = switch.order()
    switch.go_on()
    switch.shop.touch(order_id)
    switch.world.wait(minutes=3)
    assert switch.got == []


def test_a_change_that_moves_no_stamp_is_an_update_once_it_was_read(switch):
    order_id = switch.order()
    switch.go_on()
    switch.shop.edit_partner(switch.shop.customer_id, street="Elsewhere 2")
    deep_check.deep_check(switch.world.connection, clock=switch.clock)
    switch.world.wait(minutes=1)
    assert switch.got == [(order_id, "order.updated")]


def test_what_was_written_since_it_was_sent_is_sent_as_an_update(switch):
    order_id, other = switch.order(), switch.order()
    switch.shop.edit_order(order_id, note="<p>changed while the old poller slept</p>")
    switch.go_on()
    assert switch.got == [(order_id, "order.updated")]
    assert other not in dict(switch.got)


def test_what_was_confirmed_between_the_two_pollers_arrives(switch):
    switch.order()
    fresh = switch.order(sent=False)
    switch.go_on()
    assert switch.got == [(fresh, "order.confirmed")]


def test_what_the_old_poller_lost_behind_its_watermark_arrives(switch):
    late = switch.world.quotation()
    tx = switch.shop.begin()
    switch.shop.confirm(late, tx=tx)
    switch.clock.advance(10)
    switch.order()
    tx.commit()
    switch.clock.advance(days=2)
    switch.order()
    switch.go_on()
    assert switch.got == [(late, "order.confirmed")]


def test_a_cancellation_the_old_poller_never_noticed_is_told(switch):
    order_id = switch.order()
    switch.shop.cancel(order_id)
    switch.clock.advance(days=3)
    switch.order()
    switch.go_on()
    assert switch.got == [(order_id, "order.cancelled")]


def test_what_was_before_the_old_poller_stays_unsent(switch):
    switch.order()
    switch.go_on()
    switch.shop.touch(1)
    switch.world.wait(minutes=3)
    assert switch.got == []


def test_what_it_sent_and_forgot_is_not_sent_again_and_its_changes_are_told(switch):
    """It remembers the latest 30: the others of a day look as if nobody had sent them."""
    orders = [switch.order() for _ in range(40)]
    rows = switch.go_on()
    assert rows[0]["sent"] == 30 and rows[0]["counts_as_sent_until"]
    assert switch.got == []
    switch.shop.touch(orders[0])
    switch.shop.cancel(orders[1])
    switch.shop.edit_order(orders[2], note="<p>new</p>")
    switch.world.wait(minutes=3)
    assert sorted(switch.got) == [(orders[1], "order.cancelled"), (orders[2], "order.updated")]


def test_fifty_orders_of_one_stamp_of_which_it_remembers_thirty(switch):
    with switch.shop.begin() as tx:
        orders = [switch.world.quotation() for _ in range(50)]
        for order_id in orders:
            switch.shop.confirm(order_id, tx=tx)
    switch.clock.advance(60)
    switch.old.sent(switch.shop, *orders)
    missed = switch.order(sent=False)
    switch.go_on()
    assert switch.got == [(missed, "order.confirmed")]


def test_deliveries_newest_first_prove_less_and_nothing_is_sent_twice(switch):
    orders = [switch.order(sent=False, seconds=1) for _ in range(40)]
    switch.old.sent(switch.shop, *reversed(orders))
    switch.clock.advance(60)
    missed = switch.order(sent=False)
    switch.go_on()
    assert switch.got == [(missed, "order.confirmed")]


def test_what_it_forgot_and_was_changed_while_nobody_looked_is_an_update(switch):
    orders = [switch.order() for _ in range(40)]
    switch.shop.edit_order(orders[0], note="<p>between the two</p>")
    switch.go_on()
    assert switch.got == [(orders[0], "order.updated")]


def test_the_first_orders_of_an_empty_shop_which_it_listed_and_never_sent_arrive(switch):
    orders = [switch.order(sent=False) for _ in range(3)]
    switch.old.sent(switch.shop, *orders, really=False)
    later = switch.order()
    rows = switch.go_on()
    assert (rows[0]["owed"], rows[0]["sent"]) == (3, 1)
    assert sorted(switch.got) == [(order_id, "order.confirmed") for order_id in orders]
    assert later not in dict(switch.got)


def test_what_it_listed_first_and_sent_later_on_is_not_sent_again(switch):
    order_id = switch.order(sent=False)
    switch.old.sent(switch.shop, order_id, really=False)
    switch.shop.edit_order(order_id, note="<p>2</p>")
    switch.clock.advance(60)
    switch.old.sent(switch.shop, order_id)
    rows = switch.go_on()
    assert rows[0]["owed"] == 0 and switch.got == []


def test_what_was_there_before_the_old_poller_and_was_listed_by_it_stays_unsent(switch):
    switch.old.sent(switch.shop, 1, really=False)
    switch.order()
    switch.go_on()
    assert switch.got == []


def test_a_first_sight_of_long_ago_is_left_alone(switch):
    switch.old.sent(switch.shop, switch.order(sent=False), really=False)
    switch.clock.advance(days=30)
    switch.order()
    switch.go_on()
    assert switch.got == []


def test_what_was_owed_is_read_again_and_sent_once(switch):
    order_id = switch.order(sent=False)
    for _ in range(3):
        switch.old.failed(switch.shop, order_id)  # a row for each poll
    rows = switch.go_on()
    assert (rows[0]["owed"], rows[0]["overtaken"]) == (1, 2)
    assert switch.got == [(order_id, "order.confirmed")]
    assert "old" not in switch.world.hook.deliveries[-1].body
    assert set(RetryItem.objects.values_list("status", flat=True)) == {"superseded", "sent"}


def test_what_was_owed_from_long_ago_is_sent_too(switch):
    order_id = switch.order(sent=False)
    switch.old.failed(switch.shop, order_id, payload="not JSON")
    switch.clock.advance(days=40)
    switch.order()
    switch.go_on()
    assert switch.got == [(order_id, "order.confirmed")]


def test_what_was_owed_and_is_cancelled_or_gone_by_now(switch):
    cancelled, gone = switch.order(sent=False), switch.order(sent=False)
    for order_id in (cancelled, gone):
        switch.old.failed(switch.shop, order_id)
        switch.shop.cancel(order_id)
    switch.shop.unlink(gone)
    switch.go_on()
    assert (cancelled, "order.cancelled") in switch.got
    assert "order.confirmed" not in dict(switch.got).values()
    assert not RetryItem.objects.filter(status="failed", error_code="legacy_owed").exists()


def test_an_update_that_was_owed_follows_what_was_sent(switch):
    order_id = switch.order()
    switch.shop.edit_order(order_id, note="<p>2</p>")
    switch.old.failed(switch.shop, order_id)
    switch.go_on()
    assert switch.got == [(order_id, "order.updated")]
    assert SeenOrder.objects.get(order_id=order_id).version == 3


def test_a_retry_that_a_newer_delivery_overtook_is_left_out(switch):
    order_id = switch.order(sent=False)
    switch.old.failed(switch.shop, order_id)
    switch.shop.edit_order(order_id, note="<p>2</p>")
    switch.old.sent(switch.shop, order_id)
    rows = switch.go_on()
    assert rows[0]["overtaken"] == 1 and switch.got == []


def test_a_delivery_that_only_the_retry_queue_remembers_counts(switch):
    order_id = switch.order(sent=False)
    switch.old.failed(switch.shop, order_id, status="sent")
    unread = switch.order(sent=False)
    switch.old.failed(switch.shop, unread, status="sent", payload="")
    switch.old.polled(sent=2)
    switch.go_on()
    assert switch.got == []


def test_what_was_given_up_waits_for_a_person(switch):
    order_id = switch.order(sent=False)
    switch.old.failed(switch.shop, order_id, status="discarded", attempts=5)
    switch.old.polled()
    rows = switch.go_on()
    item = RetryItem.objects.get()
    assert rows[0]["gave_up"] == 1
    assert (item.status, item.error_code, switch.got) == ("failed", "legacy_gave_up", [])


def test_what_was_given_up_is_sent_on_demand(switch):
    order_id = switch.order(sent=False)
    switch.old.failed(switch.shop, order_id, status="discarded", attempts=5)
    switch.old.polled()
    switch.load("--resend-given-up")
    switch.load("--resend-given-up", "--enable")
    switch.world.connection = Connection.objects.get()
    switch.world.wait(minutes=3)
    assert switch.got == [(order_id, "order.confirmed")]


def test_what_a_person_discarded_stays_discarded_until_it_changes(switch):
    order_id = switch.order(sent=False)
    switch.old.failed(switch.shop, order_id, status="discarded", attempts=1)
    switch.old.polled()
    switch.go_on()
    assert RetryItem.objects.get().status == "discarded" and switch.got == []
    switch.shop.edit_order(order_id, note="<p>2</p>")
    switch.world.wait(minutes=3)
    assert switch.got == [(order_id, "order.confirmed")]


def test_importing_twice_is_importing_once(switch):
    switch.order()
    switch.old.failed(switch.shop, switch.order(sent=False))
    switch.load()
    seen = SeenOrder.objects.order_by("order_id").values("order_id", "version", "write_date")
    first = list(seen)
    switch.load()
    assert list(seen.all()) == first
    assert Connection.objects.count() == SentOrder.objects.count() == RetryItem.objects.count() == 1


def test_what_the_old_poller_sent_after_the_first_import_is_taken_over_by_the_second(switch):
    order_id = switch.order()
    switch.load()
    switch.shop.edit_order(order_id, note="<p>2</p>")
    switch.old.sent(switch.shop, order_id, switch.order(sent=False))
    switch.go_on()
    assert switch.got == []


def test_an_import_after_polling_began_leaves_the_ledger_alone(switch):
    order_id = switch.order()
    switch.go_on()
    switch.shop.edit_order(order_id, note="<p>ours</p>")
    switch.world.wait(minutes=3)
    rows = switch.load()
    assert rows[0]["new"] == 0 and SeenOrder.objects.get(order_id=order_id).version == 2


def test_nothing_is_polled_before_a_person_says_so(switch):
    switch.order(sent=False)
    switch.old.polled()
    switch.load()
    switch.world.wait(minutes=5)
    assert not Connection.objects.get().enabled
    assert list(switch.world.hook.deliveries) == []


def test_what_was_disabled_there_stays_disabled(switch):
    switch.old.file.execute("UPDATE connections SET enabled = 0")
    switch.old.file.commit()
    switch.load("--enable")
    assert not Connection.objects.get().enabled


def test_a_shop_that_was_never_polled_begins_from_now_on(switch):
    switch.world.confirmed()
    switch.load("--enable")
    assert Connection.objects.get().start == "now"


def test_the_old_poller_had_been_off_for_a_week(switch):
    switch.order()
    missed = switch.order(sent=False)
    switch.clock.advance(days=9)
    fresh = switch.order(sent=False)
    switch.go_on()
    assert sorted(switch.got) == [(missed, "order.confirmed"), (fresh, "order.confirmed")]


def test_configuration_comes_over_and_secrets_are_ours(switch):
    switch.order()
    switch.load()
    connection = Connection.objects.get()
    assert (connection.name, connection.external_id) == ("Shop Madrid", "shop-1")
    assert connection.api_key.reveal() == switch.shop.api_key
    assert connection.start_at == switch.clock() - timedelta(seconds=60) - timedelta(hours=1)


def told_of_secret(switch, secret):
    """What the command prints, twice, where this was the old poller's webhook secret."""
    token = secret and switch.old.token(secret)
    switch.old.file.execute("UPDATE connections SET webhook_secret = ?", [token])
    switch.old.file.commit()
    for _ in range(2):
        out = StringIO()
        call_command("importlegacy", str(switch.old.path), f"--key={switch.old.key}", stdout=out)
        yield out.getvalue()


def test_a_legacy_secret_comes_over_without_a_question_and_is_told_once(switch):
    first, second = told_of_secret(switch, "plain-words")
    assert Connection.objects.get().webhook_secret.reveal() == "plain-words"
    assert "Shop Madrid: its webhook secret is a legacy one. It is plain text" in first
    assert "legacy one" not in second and "plain-words" not in first + second


def test_a_secret_that_was_made_is_shown_once(switch):
    first, second = told_of_secret(switch, "")
    made = Connection.objects.get().webhook_secret.reveal()
    assert first.count(made) == 1 and "This one was made" in first
    assert made not in second and "This one was made" not in second


def test_a_dry_run_writes_nothing_and_says_the_same(switch):
    switch.order()
    dry = switch.load("--dry-run")
    assert not Connection.objects.exists()
    wet = switch.load()
    assert dry[0] | {"connection_id": wet[0]["connection_id"], "new": 1} == wet[0]


def test_a_wrong_key_is_a_sentence(switch):
    with pytest.raises(CommandError, match="The key does not fit: odoo_api_key of “Shop Madrid”"):
        switch.load(key=Fernet.generate_key().decode())
    with pytest.raises(CommandError, match="44 characters"):
        switch.load(key="short")
    assert not Connection.objects.exists()


@pytest.mark.parametrize("given", ["{key}", "A=1\nexport POLLER_ENCRYPTION_KEY='{key}'\nB=2\n"])
def test_the_key_may_come_from_a_file(switch, tmp_path, given):
    file = tmp_path / "old.env"
    file.write_text(given.format(key=switch.old.key))
    call_command("importlegacy", str(switch.old.path), "--key-file", str(file), stdout=StringIO())
    assert Connection.objects.get().api_key.reveal() == switch.shop.api_key


def test_our_own_keys_are_tried(switch, settings):
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode(), switch.old.key]
    call_command("importlegacy", str(switch.old.path), stdout=StringIO())
    assert Connection.objects.get().api_key.reveal() == switch.shop.api_key


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "There is no file"),
        (b"", "is not a database of the old poller"),
        (b"PK\x03\x04 no database " * 100, "cannot be read as an SQLite database"),
    ],
)
def test_another_file_is_a_sentence(tmp_path, db, content, words):
    path = tmp_path / "other.db"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CommandError, match=words):
        call_command("importlegacy", str(path))


def test_a_clash_is_a_sentence_and_stops_all(switch, make_connection):
    make_connection(name="shop madrid", external_id="other")
    switch.old.connect(switch.world, name="Shop Lima", external_id="shop-2")
    with pytest.raises(CommandError, match="1 “Shop Madrid”: There is another connection of this name"):
        switch.load()
    assert Connection.objects.count() == 1
    assert [row["connection"] for row in switch.load("--only", "2")] == ["Shop Lima"]


def test_an_id_in_use_for_another_odoo_is_a_clash(switch, make_connection):
    make_connection(name="Another", external_id="shop-1")
    with pytest.raises(CommandError, match="reads another Odoo"):
        switch.load()


def test_a_table_for_people_tells_what_to_do_next(switch):
    for _ in range(31):
        switch.order()
    out = StringIO()
    call_command("importlegacy", str(switch.old.path), f"--key={switch.old.key}", stdout=out)
    said = out.getvalue()
    assert "at work minutes ago" in said and "--enable" in said and "forgets what it sent" in said
    assert switch.shop.api_key not in said and switch.old.key not in said


def test_stamps_of_the_old_file_are_utc(switch):
    order_id = switch.order()
    switch.load()
    assert text(SeenOrder.objects.get(order_id=order_id).write_date) == text(
        switch.shop.world.get("sale.order", order_id)["write_date"]
    )
    assert PollState.objects.get().deep_check_at == switch.clock()


@pytest.mark.parametrize(("words", "said"), [(["--enable"], True), ([], False), (["--dry-run"], False)])
def test_a_shop_that_is_here_under_another_id_is_said(switch, make_connection, words, said):
    gone = switch.world.connection
    mine = {name: getattr(gone, name) for name in ("odoo_url", "database", "webhook_url")}
    make_connection(name="Here already", external_id="here", **mine)
    out, err = StringIO(), StringIO()
    line = ["importlegacy", str(switch.old.path), f"--key={switch.old.key}", *words]
    call_command(*line, stdout=out, stderr=err)
    assert ("sends the same orders to the same receiver as: Here already" in out.getvalue()) is said
