"""A connection that names a language: what the receiver gets, and what becomes of what it has."""

import pytest

from connections import leases
from connections.forms import filled
from connections.models import Connection
from sync import due as sync_due
from sync.events.decide import BY_STAMP
from sync.models import PollState, RetryItem, SeenOrder
from sync.polling import poll
from sync.polling.turn import Busy, turn
from sync.repair import language as languages
from sync.repair.deep_check import deep_check

VERSIONS = [16, 17, 18, 19]


@pytest.fixture
def spoken(make_world):
    """A shop in Mexico, polled once, whose countries, units and variants have Spanish names too."""

    def make(version=17, **connection):
        world = make_world(version, **connection)
        shop = world.shop
        shop.languages.translate("es_MX", "res.country", 156, name="México")
        shop.languages.translate("es_MX", "uom.uom", 1, name="Unidades")
        world.shop.customer_id = shop.add_partner("Ana", country_id=156)
        world.poll()
        world.clock.advance(60)
        return world

    return make


def speak(world, language, change=""):
    """Save another language as the page and the commands do."""
    values = {"language": language, "language_change": change}
    form = filled(Connection.objects.without_secrets().get(), values)
    assert form.is_valid(), form.errors
    with languages.saving([form], world.clock()):
        form.save()
    world.connection.refresh_from_db()


def words(world):
    """Country and unit of each version that arrived."""
    bodies = [d.body for d in world.hook.deliveries]
    return [(b["event"], b["customer"]["address"]["country"], b["items"][0]["uom"]) for b in bodies]


def checked(world, *, due=False):
    """The deep check that is due now, or is made due, and its deliveries."""
    if due:
        PollState.objects.update(deep_check_at=world.clock())
    token, ids = sync_due.claim_polls(world.clock(), 10)
    poll.poll(token, ids, clock=world.clock, threads=0)
    for state in PollState.objects.deep_check_due(world.clock()):
        deep_check(state.connection, clock=world.clock)
    world.wait(seconds=10)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("language", "told"), [("", ("Mexico", "Units")), ("es_MX", ("México", "Unidades"))])
def test_orders_are_sent_in_the_language_of_the_connection(spoken, version, language, told):
    world = spoken(version, language=language)
    world.shop.poller.lang = "es_MX"
    world.confirmed()
    world.wait(minutes=2)
    assert words(world) == [("order.confirmed", *told)]


@pytest.mark.parametrize("version", VERSIONS)
def test_another_language_sends_what_is_open_again_at_once(spoken, version):
    world = spoken(version)
    world.confirmed()
    world.wait(minutes=2)
    speak(world, "es_MX", "send")
    checked(world)
    assert words(world)[1:] == [("order.updated", "México", "Unidades")]
    checked(world, due=True)
    assert len(words(world)) == 2


@pytest.mark.parametrize("version", VERSIONS)
def test_or_leaves_it_until_it_changes_in_odoo(spoken, version):
    world = spoken(version)
    order_id, other_id = world.confirmed(), world.confirmed()
    world.wait(minutes=2)
    speak(world, "es_MX", "keep")
    assert {row.content_hash for row in SeenOrder.objects.all()} == {BY_STAMP}
    checked(world)
    assert len(words(world)) == 2
    assert BY_STAMP not in {row.content_hash for row in SeenOrder.objects.all()}
    world.shop.edit_order(order_id, note="<p>changed</p>")
    world.wait(minutes=2)
    assert words(world)[2:] == [("order.updated", "México", "Unidades")]
    world.shop.edit_line_silently(world.shop.lines(other_id)[0]["id"], name="Another text")
    checked(world, due=True)
    assert [d.body["order"]["id"] for d in world.hook.deliveries][3:] == [other_id]


def test_back_again_before_anything_was_read_sends_nothing(spoken):
    world = spoken()
    world.confirmed()
    world.wait(minutes=2)
    speak(world, "es_MX", "keep")
    speak(world, "", "send")
    checked(world)
    assert len(words(world)) == 1


def test_what_waits_goes_out_as_it_was_written(spoken):
    world = spoken()
    world.receiver.set_mode("main", "500")
    world.confirmed()
    world.wait(minutes=2)
    speak(world, "es_MX", "keep")
    world.receiver.set_mode("main", "ok")
    world.wait(minutes=5)
    checked(world)
    assert [d.body["items"][0]["uom"] for d in world.hook.deliveries if d.status == 200] == ["Units"]


def test_what_could_not_be_read_is_not_taken_for_sent(spoken):
    world = spoken()
    order_id = world.confirmed()
    world.shop.add("sale.order.line", order_id=order_id, name="x", product_uom_qty="many")
    world.wait(minutes=2)
    assert SeenOrder.objects.get().content_hash == ""
    speak(world, "es_MX", "keep")
    assert SeenOrder.objects.get().content_hash == ""


@pytest.mark.parametrize("version", VERSIONS)
def test_a_language_that_is_missing_stops_reading_and_loses_nothing(spoken, version):
    world = spoken(version)
    speak(world, "fr_FR")
    world.confirmed()
    world.wait(minutes=5)
    assert (world.got(), world.state.error_code) == ([], "odoo_language_missing")
    assert world.state.error_detail == "fr_FR; the server has: en_US, es_MX"
    world.shop.languages.translate("fr_FR", "uom.uom", 1, name="Unités")
    world.wait(minutes=30)
    assert words(world) == [("order.confirmed", "Mexico", "Unités")]


@pytest.mark.parametrize("version", [16, 17])
def test_a_language_that_was_removed_sends_nothing_in_another(spoken, version):
    world = spoken(version, language="es_MX")
    world.confirmed()
    world.wait(minutes=2)
    del world.shop.languages.installed["es_MX"]
    assert deep_check(world.connection, clock=world.clock).error_code == "odoo_language_missing"


def test_master_data_of_two_languages_is_kept_apart(spoken):
    """Odoo 16 gives it by calls of its own, which are spared for some minutes."""
    world = spoken(16)
    product = world.shop.add_variants("Shirt", {"Color": ["Red", "Blue"]})[0]
    values = world.shop.world.get("product.product", product)["product_template_attribute_value_ids"]
    world.shop.languages.translate("es_MX", "product.template.attribute.value", values[0], name="Rojo")
    world.shop.product_id = product

    def variants():
        world.confirmed()
        world.wait(seconds=70)
        return [d.body["items"][0]["variant"] for d in world.hook.deliveries]

    assert variants() == ["Color: Red"]
    speak(world, "es_MX", "keep")
    assert variants() == ["Color: Red", "Color: Rojo"]
    speak(world, "", "keep")
    assert variants() == ["Color: Red", "Color: Rojo", "Color: Red"]


# --- while somebody reads ---------------------------------------------------------------------------------


def test_what_is_being_read_in_the_former_language_is_lost(spoken):
    """Else it would be written over what is known by its stamp, and differ from the next reading."""
    world = spoken()
    world.confirmed()
    world.wait(minutes=2)
    with turn(world.connection, clock=world.clock) as mine:
        mine.source.read([1])
        speak(world, "es_MX", "keep")
        with pytest.raises(Busy), mine.writing():
            pass
    checked(world)
    assert len(words(world)) == 1


def test_who_waited_with_the_former_language_reads_in_the_new_one(spoken):
    world = spoken()
    world.confirmed()
    world.wait(minutes=2)
    stale = Connection.objects.get()
    speak(world, "es_MX", "keep")
    deep_check(stale, clock=world.clock)
    checked(world, due=True)
    assert len(words(world)) == 1 and RetryItem.objects.count() == 1


def test_a_poll_that_was_claimed_before_reads_nothing(spoken):
    world = spoken()
    world.confirmed()
    world.wait(minutes=2)
    PollState.objects.wake(world.clock())
    token, ids = sync_due.claim_polls(world.clock(), 10)
    speak(world, "es_MX", "keep")
    assert poll.poll(token, ids, clock=world.clock, threads=0) == []
    assert leases.claim([world.connection.odoo_lease_key], "another", now=world.clock())
