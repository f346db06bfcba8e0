"""The pages of connections: secrets, what saving wakes, what deleting says, and the list's words."""

from datetime import timedelta

import pytest
from django.test import override_settings
from django.urls import reverse
from django.utils import timezone

from connections.models import Circuit, CircuitState, Connection, Side, pause
from core.admin.base import moment
from sync.models import PollState, RetryItem, SeenOrder, Status
from tests import factories
from tests.connections.test_form import FRESH, GOOD
from tests.core.admin.conftest import API_KEY, HOSTILE, WEBHOOK_SECRET, said, spoil_secrets

LIST = reverse("admin:connections_connection_changelist")
ADD = reverse("admin:connections_connection_add")


def page(connection):
    return reverse("admin:connections_connection_change", args=[connection.pk])


def typed(connection=None, **values):
    """What a browser sends for this connection, with these values typed over its own."""
    own = {name: getattr(connection, name) for name in GOOD} if connection else GOOD
    shown = own | {"api_key": "", "webhook_secret": ""} if connection else dict(own)
    data = {name: value for name, value in (shown | values).items() if value not in (None, False)}
    return data | {"start_at_0": "", "start_at_1": ""}


def test_a_new_connection_is_polled_at_once(admin_client):
    response = admin_client.post(ADD, typed(), follow=True)
    connection = Connection.objects.get()
    assert "was added successfully" in said(response)
    assert connection.api_key.reveal() == "canary-key"
    assert connection.poll_state.next_poll_at <= timezone.now()
    assert "canary" not in response.content.decode()


def test_a_generated_secret_is_told_once(admin_client):
    response = admin_client.post(ADD, typed(webhook_secret=""), follow=True)
    secret = Connection.objects.get().webhook_secret.reveal()
    assert secret.startswith("whsec_") and secret in said(response)
    for address in (LIST, page(Connection.objects.get())):
        assert secret not in admin_client.get(address).content.decode()


def test_what_is_refused_keeps_what_was_typed_but_no_secret(admin_client):
    html = admin_client.post(ADD, typed(odoo_url="shop.odoo.com")).content.decode()
    assert "Begin with https://" in html
    assert "Shop Madrid" in html and "canary" not in html
    assert not Connection.objects.exists()


@override_settings(DEFAULT_WEBHOOK_URL="https://sm.example.com/in")
def test_the_usual_receiver_is_filled_in(admin_client):
    assert "https://sm.example.com/in" in admin_client.get(ADD).content.decode()


def test_empty_secrets_are_kept_and_others_replaced(admin_client, shop):
    connection = shop()
    before = connection.name
    admin_client.post(page(connection), typed(connection, name="Renamed"))
    connection.refresh_from_db()
    assert connection.name == "Renamed"
    assert (connection.api_key.reveal(), connection.webhook_secret.reveal()) == (API_KEY, WEBHOOK_SECRET)

    admin_client.post(page(connection), typed(connection, api_key="canary-fresh"))
    connection.refresh_from_db()
    assert (connection.api_key.reveal(), connection.webhook_secret.reveal()) == (
        "canary-fresh",
        WEBHOOK_SECRET,
    )
    history = admin_client.get(reverse("admin:connections_connection_history", args=[connection.pk]))
    html = history.content.decode()
    assert "API key was replaced" in html and "canary" not in html
    assert f"Name: {before} → Renamed" in html


def test_a_fixed_key_is_tried_at_once(admin_client, shop):
    connection = shop()
    broken = {"state": CircuitState.OPEN, "failures": 5, "opened_at": timezone.now()}
    factories.circuit(connection, Side.ODOO, **broken)
    factories.circuit(connection, Side.WEBHOOK, **broken)
    PollState.objects.update(next_poll_at=timezone.now() + timedelta(hours=1))

    admin_client.post(page(connection), typed(connection, name="Renamed"))
    assert PollState.objects.get().next_poll_at <= timezone.now()
    assert set(Circuit.objects.values_list("state", flat=True)) == {"open"}

    admin_client.post(page(connection), typed(connection, name="Renamed", api_key="fresh"))
    assert dict(Circuit.objects.values_list("side", "state")) == {"odoo": "closed", "webhook": "open"}

    moved = typed(
        connection, name="Renamed", webhook_url="https://new.example.com/", webhook_secret=WEBHOOK_SECRET
    )
    admin_client.post(page(connection), moved)
    assert set(Circuit.objects.values_list("state", flat=True)) == {"closed"}


@pytest.mark.parametrize(("hours", "old"), [("", 24), ("48", 48), ("0", None)])
def test_a_webhook_secret_is_rotated_or_replaced(admin_client, shop, hours, old):
    connection = shop()
    data = typed(connection, webhook_secret=FRESH, overlap_hours=hours)
    response = admin_client.post(page(connection), data, follow=True)
    connection.refresh_from_db()
    assert connection.webhook_secret.reveal() == FRESH
    kept = [
        (row.secret.reveal(), row.retired_by, (row.valid_until - row.retired_at).total_seconds() / 3600)
        for row in connection.retired_secrets.all()
    ]
    assert kept == ([(WEBHOOK_SECRET, "admin", old)] if old else [])
    assert ("signs beside the new one until" in said(response)) is bool(old)
    html = admin_client.get(page(connection)).content.decode()
    assert ("An old webhook secret signs beside" in html) is bool(old)
    assert "canary" not in html and WEBHOOK_SECRET not in html


@pytest.mark.parametrize(
    ("field", "sentence"),
    [("odoo_url", "type the API key again"), ("webhook_url", "type the webhook secret again")],
)
def test_another_address_wants_its_secret_typed_again(admin_client, shop, field, sentence):
    connection = shop()
    before = Connection.objects.values().get()
    response = admin_client.post(page(connection), typed(connection, **{field: "https://evil.example.com"}))
    assert sentence in response.content.decode()
    assert Connection.objects.values().get() == before


def test_what_is_required_of_an_answer_is_typed_and_put_on_record(admin_client, shop):
    connection = shop()
    html = admin_client.post(page(connection), typed(connection, answer_pointer="ok")).content.decode()
    assert "begins with “/”" in html and "has to stand there, such as true" not in html
    admin_client.post(page(connection), typed(connection, answer_pointer="/ok", answer_value="true"))
    connection.refresh_from_db()
    assert (connection.answer_pointer, connection.answer_value) == ("/ok", "true")
    history = admin_client.get(reverse("admin:connections_connection_history", args=[connection.pk]))
    assert "Required in the answer: where: – → /ok" in history.content.decode()
    copied = admin_client.get(f"{ADD}?copy={connection.pk}").content.decode()
    assert 'value="/ok"' in copied and 'value="true"' in copied


def test_a_legacy_secret_is_taken_by_a_tick_and_put_on_record(admin_client, shop):
    connection = shop()
    html = admin_client.get(page(connection)).content.decode()
    assert 'name="legacy_secret"' in html and "data-poller-secret=" in html
    html = admin_client.post(page(connection), typed(connection, webhook_secret="hello")).content.decode()
    assert "It is plain text" in html and "tick “Legacy secret”" in html and "--legacy-secret" not in html
    admin_client.post(page(connection), typed(connection, webhook_secret="hello", legacy_secret="on"))
    connection.refresh_from_db()
    assert connection.webhook_secret.reveal() == "hello"
    history = admin_client.get(reverse("admin:connections_connection_history", args=[connection.pk]))
    assert "Legacy secret: no → yes" in history.content.decode()


def test_who_may_only_look_is_offered_no_tick(staff, shop):
    html = staff("connections.view_connection").get(page(shop())).content.decode()
    assert "legacy_secret" not in html


def test_an_unreadable_secret_is_replaced_by_typing_another(admin_client, shop):
    connection = shop()
    spoil_secrets()
    admin_client.post(page(connection), typed(connection, api_key="fresh", webhook_secret=FRESH))
    connection.refresh_from_db()
    assert connection.api_key.reveal() == "fresh"


def test_another_database_is_warned_about(admin_client, shop, owe):
    connection = shop()
    owe(connection)
    response = admin_client.post(page(connection), typed(connection, database="other"))
    assert "add a new connection for it instead" in response.content.decode()
    assert Connection.objects.get().database == connection.database
    values = typed(connection, database="other", same_database="on")
    response = admin_client.post(page(connection), values, follow=True)
    assert "another shop needs a new connection" in said(response)
    assert Connection.objects.get().database == "other"


def test_the_first_run_is_fixed_once_it_has_begun(admin_client, shop):
    connection = shop()
    assert 'name="start"' in admin_client.get(page(connection)).content.decode()
    PollState.objects.update(started_at=timezone.now())
    assert 'name="start"' not in admin_client.get(page(connection)).content.decode()
    admin_client.post(page(connection), typed(connection, start="all", name="Renamed"))
    connection.refresh_from_db()
    assert (connection.name, connection.start) == ("Renamed", "now")


def test_deleting_says_what_goes_with_it(admin_client, staff, shop, owe):
    connection = shop()
    for number in range(1, 4):
        owe(connection, number)
    address = reverse("admin:connections_connection_delete", args=[connection.pk])
    html = admin_client.get(address).content.decode()
    assert "Retry items: 3" in html
    assert "S00001" not in html  # numbers, not a page with every order
    assert staff("connections.change_connection").post(address, {"post": "yes"}).status_code == 403
    assert "Orders owed, which would never be sent: 3" in html
    spare = reverse("admin:connections_connection_delete", args=[shop().pk])
    assert "which would never be sent" not in admin_client.get(spare).content.decode()
    admin_client.post(address, {"post": "yes"})
    admin_client.post(spare, {"post": "yes"})
    assert not Connection.objects.exists() and not SeenOrder.objects.exists()


def broken_circuit(connection):
    factories.circuit(connection, Side.WEBHOOK, state=CircuitState.OPEN)


def no_poll_for_long(connection):
    PollState.objects.filter(connection=connection).update(next_poll_at=timezone.now() - timedelta(minutes=6))


HEALTH_STATES = {
    "ok": lambda connection: None,
    "disabled": lambda connection: Connection.objects.filter(pk=connection.pk).update(enabled=False),
    "paused": lambda connection: pause([connection], by="x", reason="holidays", sides=(Side.WEBHOOK,)),
    "open": broken_circuit,
    "failing": lambda connection: PollState.objects.filter(connection=connection).update(
        error_code="odoo_dns"
    ),
    "late": no_poll_for_long,
    "new": lambda connection: PollState.objects.filter(connection=connection).delete(),
}


@pytest.mark.parametrize("word", HEALTH_STATES)
def test_the_list_tells_how_each_stands_and_filters_by_it(word, admin_client, shop):
    HEALTH_STATES[word](shop(name="this one"))
    if word != "ok":
        shop(name="well")
    for choice in (word, *(["wrong"] if word in ("open", "failing", "late") else [])):
        rows = admin_client.get(LIST, {"health_state": choice}).context["cl"].result_list
        assert [(row.name, row.health_state) for row in rows] == [("this one", word)]
    assert admin_client.get(page(Connection.objects.get(name="this one"))).status_code == 200


def test_the_backlog_is_counted_and_leads_to_the_orders(admin_client, shop, owe):
    connection = shop(name="busy")
    shop(name="idle")
    for number, status in enumerate([Status.FAILED, Status.PENDING, Status.PENDING, Status.SENT], start=1):
        owe(connection, number, status=status)
    html = admin_client.get(LIST).content.decode()
    assert "1 needs a person" in html and "2 waiting" in html
    owed = (
        reverse("admin:sync_retryitem_changelist") + f"?connection__id__exact={connection.pk}&status=failed"
    )
    assert owed.replace("&", "&amp;") in html
    assert [row.status for row in admin_client.get(owed).context["cl"].result_list] == ["failed"]
    for choice in ("person", "waiting"):
        rows = admin_client.get(LIST, {"owed": choice}).context["cl"].result_list
        assert [row.name for row in rows] == ["busy"]


def test_the_page_explains_the_last_error_and_who_paused(admin_client, shop):
    connection = shop()
    PollState.objects.update(error_code="no_such_code", error_detail=HOSTILE)
    pause([connection], by="ana", reason=HOSTILE)
    html = admin_client.get(page(connection)).content.decode()
    assert "Something went wrong that we do not know yet" in html
    assert "Paused by ana" in html and "<script>alert" not in html
    for model in (SeenOrder, RetryItem):
        place = reverse(f"admin:sync_{model._meta.model_name}_changelist")
        assert f"{place}?connection__id__exact={connection.pk}" in html


@pytest.mark.parametrize("term", ["lugo", "sm-lugo", "lugo.odoo.com", "lugo-db"])
def test_a_connection_is_found_by_what_people_know(term, admin_client, shop):
    shop(name="Tienda Lugo", external_id="sm-lugo", odoo_url="https://lugo.odoo.com", database="lugo-db")
    shop(name="other")
    assert [row.name for row in admin_client.get(LIST, {"q": term}).context["cl"].result_list] == [
        "Tienda Lugo"
    ]


def test_a_page_that_is_not_there_leads_back(admin_client, db):
    address = reverse("admin:connections_connection_change", args=[99])
    assert admin_client.get(address).status_code == 302


def test_a_side_that_asked_to_wait_says_until_when(admin_client, shop):
    connection = shop()
    until = timezone.now() + timedelta(minutes=20, seconds=30)
    factories.circuit(connection, Side.WEBHOOK, wait_until=until)
    html = admin_client.get(page(connection)).content.decode()
    assert "Asked to wait" in html and "It asked us to wait until" in html


MOMENTS = [
    (-7200, "2\xa0hours ago"),
    (-59, "just now"),
    (0, "just now"),
    (30, "in a moment"),
    (200, "in 3\xa0minutes"),
]


@pytest.mark.parametrize(("seconds", "words"), MOMENTS)
def test_moments_are_told_from_now_on(seconds, words, clock):
    assert f">{words}<" in moment(clock() + timedelta(seconds=seconds), clock())


def test_a_copy_begins_like_the_other_without_its_secrets(admin_client, shop):
    connection = shop(name="Tienda Lugo", username="lugo@example.com", lookback_seconds=900)
    html = admin_client.get(ADD, {"copy": connection.pk}).content.decode()
    assert "Copy of Tienda Lugo" in html and "lugo@example.com" in html and 'value="900"' in html
    assert API_KEY not in html and WEBHOOK_SECRET not in html and connection.external_id not in html
    assert f"?copy={connection.pk}" in admin_client.get(page(connection)).content.decode()
    assert admin_client.get(ADD, {"copy": "nonsense"}).status_code == 200


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"odoo_url": "http://shop.example.com"}, "API key travels to Odoo unencrypted"),
        ({"webhook_url": "http://sm.example.com/in"}, "Orders travel to the receiver unencrypted"),
        ({"odoo_url": "https://shop.odoo.com", "poll_interval_seconds": 5}, "one call per second"),
        ({"lookback_seconds": 60}, "misses orders"),
        ({"odoo_url": "http://10.0.0.5:8069", "webhook_url": "http://stockmaster/in"}, ""),
    ],
)
def test_unsafe_choices_are_said(values, sentence, admin_client, shop):
    html = admin_client.get(page(shop(**values))).content.decode()
    if sentence:
        assert sentence in html
    else:
        assert "poller-warnings" not in html
