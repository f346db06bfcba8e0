"""What the form of a connection refuses, and with which sentence."""

import base64

import pytest
from django.test import override_settings

from connections.forms import ConnectionForm, filled
from connections.models import Connection
from tests.conftest import NOON

SECRET = "whsec_canarysecretcanarysecretcanarysecret"  # 27 bytes
FRESH = "whsec_canaryfresh0canaryfresh0canaryfresh0"

GOOD = {
    "name": "Shop Madrid",
    "external_id": "sm-42",
    "enabled": True,
    "odoo_url": "https://shop.odoo.com",
    "database": "shop",
    "username": "poller@shop.example",
    "api_key": "canary-key",
    "protocol": "auto",
    "webhook_url": "https://sm.example.com/hooks/odoo?shop=1",
    "webhook_secret": SECRET,
    "send_secret_header": True,
    "events": ["order.confirmed", "order.cancelled"],
    "poll_interval_seconds": 60,
    "lookback_seconds": 1200,
    "start": "now",
    "deliveries_at_once": 16,
    "most_disappearances": 10,
    "most_disappearances_percent": 20,
}

ADDRESSES = [
    ("https://shop.odoo.com/", "https://shop.odoo.com"),
    (" HTTPS://Shop.Odoo.com ", "https://shop.odoo.com"),
    ("http://10.0.0.5:8069", "http://10.0.0.5:8069"),
    ("http://[::1]:8069/", "http://[::1]:8069"),
    ("https://tienda-ñandú.es", "https://tienda-ñandú.es"),
    ("http://odoo", "http://odoo"),
]

BAD = [
    ("odoo_url", "", "address of the Odoo server"),
    ("odoo_url", "shop.odoo.com", "Begin with https://"),
    ("odoo_url", "shop.odoo.com", "Try: https://shop.odoo.com"),
    ("odoo_url", "ftp://shop.odoo.com", "not ftp://"),
    ("odoo_url", "javascript://alert(1)", "not javascript://"),
    ("odoo_url", "https://shop.odoo.com/web", "Try: https://shop.odoo.com"),
    ("odoo_url", "https://shop.odoo.com/?db=shop", "Only the address of the server"),
    ("odoo_url", "https://shop.odoo.com/#action=1", "Only the address of the server"),
    ("odoo_url", "https://admin:pw@shop.odoo.com", "before the “@”"),
    ("odoo_url", "https://", "is not an address"),
    ("odoo_url", "https://:8069", "is not an address"),
    ("odoo_url", "https://shop.odoo.com:99999", "is not an address"),
    ("odoo_url", "https://shop.odoo.com:http", "is not an address"),
    ("odoo_url", "https://[::1", "is not an address"),
    ("odoo_url", "https://shop<script>.com", "is not an address"),
    ("odoo_url", "https://shop .odoo.com", "no spaces"),
    ("odoo_url", "https://shop.odoo.com\nHost: evil", "no spaces"),
    ("webhook_url", "", "required"),
    ("webhook_url", "sm.example.com/hook", "Begin with https://"),
    ("webhook_url", "https://user:pw@sm.example.com/hook", "before the “@”"),
    ("webhook_url", "https://sm.example.com/hook#part", "after “#”"),
    ("webhook_url", "file:///etc/passwd", "not file://"),
    ("database", "", "name of the database"),
    ("database", "   ", "name of the database"),
    ("username", "", "required"),
    ("api_key", "", "Paste an API key"),
    ("api_key", "key\nline", "only the key itself"),
    ("webhook_secret", "contraseña", "without accents"),
    ("webhook_secret", "two words", "no spaces"),
    ("answer_pointer", "ok", "begins with “/”"),
    ("answer_pointer", "/a~2", "written ~0"),
    ("answer_pointer", "/" + "a" * 200, "at most 200"),
    ("name", "", "a name that your colleagues"),
    ("external_id", "", "required"),
    ("external_id", "a\r\nX-Evil: 1", "travels in a header"),
    ("external_id", "señal", "travels in a header"),
    ("poll_interval_seconds", 4, "from 5 to 86400"),
    ("poll_interval_seconds", 86_401, "from 5 to 86400"),
    ("poll_interval_seconds", -1, "from 5 to 86400"),
    ("poll_interval_seconds", "soon", "from 5 to 86400"),
    ("poll_interval_seconds", "", "from 5 to 86400"),
    ("language", "Spanish", "such as es_MX"),
    ("language", "es_MX_1", "such as es_MX"),
    ("language", "es MX", "such as es_MX"),
    ("language_change", "perhaps", "not one of the available choices"),
    ("lookback_seconds", 59, "greater than or equal to 60"),
    ("deliveries_at_once", 0, "greater than or equal to 1"),
    ("deliveries_at_once", 65, "less than or equal to 64"),
    ("start", "yesterday", "not one of the available choices"),
    ("events", [], "at least one event"),
    ("events", ["order.confirmed", "order.lost"], "There is no event “order.lost”"),
]


def form(connection=None, **values):
    return ConnectionForm(data=GOOD | values, instance=connection)


@pytest.mark.django_db
@pytest.mark.parametrize(("field", "value", "sentence"), BAD)
def test_is_refused_with_a_sentence(field, value, sentence):
    refused = form(**{field: value})
    assert not refused.is_valid()
    assert sentence in " ".join(refused.errors[field])


@pytest.mark.django_db
@pytest.mark.parametrize(("typed", "kept"), ADDRESSES)
def test_an_odoo_address_is_kept_without_what_has_no_effect(typed, kept):
    assert form(odoo_url=typed).save().odoo_url == kept


@pytest.mark.django_db
def test_a_webhook_address_keeps_path_and_query():
    typed = "HTTPS://SM.example.com:8443/Hooks/Odoo?Shop=1"
    assert form(webhook_url=typed).save().webhook_url == "https://sm.example.com:8443/Hooks/Odoo?Shop=1"


LANGUAGES = [
    ("", ""),
    (" es_MX ", "es_MX"),
    ("es-mx", "es_MX"),
    ("ES_mx", "es_MX"),
    ("es_419", "es_419"),
    ("sr@latin", "sr@latin"),
    ("kab_DZ", "kab_DZ"),
    ("sw", "sw"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("typed", "kept"), LANGUAGES)
def test_a_language_is_kept_as_odoo_writes_it(typed, kept):
    assert form(language=typed).save().language == kept


@pytest.mark.django_db
def test_a_first_run_from_a_date_needs_the_date():
    assert "from which day" in " ".join(form(start="date").errors["start_at"])
    assert form(start="date", start_at="2026-11-01 08:00").is_valid()


@pytest.mark.django_db
def test_names_and_external_ids_are_taken_once():
    form().save()
    refused = form(name="shop madrid")
    assert "another connection of this name" in " ".join(refused.errors["name"])
    assert "“Shop Madrid” has this id" in " ".join(refused.errors["external_id"])


@pytest.mark.django_db
def test_a_connection_keeps_its_own_name():
    assert filled(form().save(), {"database": "other"}).is_valid()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "keys", [[], [""], ["not-a-key"], ["c2hvcnQ="], ["dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=", "x"]]
)
def test_nothing_is_stored_without_usable_keys(keys):
    with override_settings(ENCRYPTION_KEYS=keys):
        refused = form()
        assert "POLLER_ENCRYPTION_KEY" in " ".join(refused.non_field_errors())


@pytest.mark.django_db
def test_an_empty_secret_keeps_the_stored_one():
    connection = form().save()
    filled(Connection.objects.without_secrets().get(), {"name": "Shop Lugo"}).save()
    connection.refresh_from_db()
    assert connection.name == "Shop Lugo"
    assert connection.api_key.reveal() == "canary-key"
    assert connection.webhook_secret.reveal() == SECRET


@pytest.mark.django_db
def test_a_typed_secret_replaces_the_stored_one():
    connection = form().save()
    filled(connection, {"api_key": "fresh-key"}).save()
    connection.refresh_from_db()
    assert connection.api_key.reveal() == "fresh-key"
    assert connection.webhook_secret.reveal() == SECRET


MOVES = [
    ("odoo_url", "https://shop.odoo.com", None),
    ("odoo_url", " HTTPS://Shop.odoo.com/", None),
    ("odoo_url", "https://shop.odoo.com:8443", "api_key"),
    ("odoo_url", "http://shop.odoo.com", "api_key"),
    ("odoo_url", "https://shop.odoo.com.evil.example", "api_key"),
    ("webhook_url", "https://SM.example.com/hooks/odoo?shop=1", None),
    ("webhook_url", "https://evil.example.com/hooks/odoo?shop=1", "webhook_secret"),
    # One host may serve many people's addresses.
    ("webhook_url", "https://sm.example.com/hooks/other?shop=1", "webhook_secret"),
    ("webhook_url", "https://sm.example.com/hooks/odoo?shop=2", "webhook_secret"),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("field", "address", "wanted"), MOVES)
def test_a_stored_secret_is_not_sent_to_a_newly_typed_address(field, address, wanted):
    form().save()
    connection = Connection.objects.without_secrets().get()
    refused = filled(connection, {field: address})
    assert set(refused.errors) == ({wanted} if wanted else set())
    for secrets in ({"api_key": "k", "webhook_secret": FRESH}, {wanted: FRESH} if wanted else {}):
        assert filled(connection, {field: address} | secrets).is_valid()


@pytest.mark.django_db
def test_an_old_secret_does_not_sign_at_a_new_address():
    connection = form().save()
    connection.retired_secrets.create(secret="older", valid_until=NOON, retired_at=NOON)
    values = {"webhook_url": "https://new.example.com/", "webhook_secret": FRESH, "overlap_hours": 48}
    moved = filled(connection, values)
    assert moved.is_valid() and moved.retire_old_secret(by="", now=NOON) is None
    assert not connection.retired_secrets.exists()


@pytest.mark.django_db
@pytest.mark.parametrize("hours", [-1, 721, "soon"])
def test_an_overlap_is_a_number_of_hours_within_a_month(hours):
    connection = form().save()
    refused = filled(connection, {"webhook_secret": FRESH, "overlap_hours": hours})
    assert set(refused.errors) == {"overlap_hours"}


@pytest.mark.django_db
def test_where_and_what_is_required_of_an_answer_go_together():
    assert "Say what has to stand there" in " ".join(form(answer_pointer="/ok").errors["answer_value"])
    saved = form(answer_pointer="/ok", answer_value='"0"').save()
    assert (saved.answer_pointer, saved.answer_value) == ("/ok", '"0"')
    assert filled(saved, {"answer_pointer": "", "answer_value": ""}).save().answer_pointer == ""
    assert form(name="b", external_id="b", answer_value="ok").is_valid(), "the whole answer"


LEGACY = ["hello", "plain-text-that-is-long-enough-to-be-a-secret", "whsec_abc", f"v1,{SECRET}"]


@pytest.mark.django_db
@pytest.mark.parametrize("secret", LEGACY)
def test_a_malformed_webhook_secret_is_warned_of_and_needs_a_tick(secret):
    refused = form(webhook_secret=secret)
    sentence = " ".join(refused.errors["webhook_secret"])
    assert "Standard Webhooks library" in sentence and "--legacy-secret" in sentence
    assert secret not in sentence
    assert form(webhook_secret=secret, legacy_secret=True).save().webhook_secret.reveal() == secret


@pytest.mark.django_db
def test_a_tick_lets_nothing_through_that_cannot_travel_in_a_header():
    assert set(form(webhook_secret="two words", legacy_secret=True).errors) == {"webhook_secret"}


@pytest.mark.django_db
def test_a_stored_legacy_secret_is_asked_about_no_more():
    connection = form(webhook_secret="hello", legacy_secret=True).save()
    assert filled(connection, {"name": "Other"}).is_valid()


@pytest.mark.django_db
def test_a_missing_webhook_secret_is_generated_once():
    fresh = form(webhook_secret="")
    connection = fresh.save()
    assert connection.webhook_secret.reveal() == fresh.generated_secret
    assert fresh.generated_secret.startswith("whsec_")
    assert len(base64.b64decode(fresh.generated_secret.removeprefix("whsec_"))) == 32
    assert filled(connection, {"name": "Other"}).generated_secret == ""


@override_settings(DEFAULT_WEBHOOK_URL="https://sm.example.com/in")
def test_the_usual_receiver_is_filled_in():
    assert ConnectionForm()["webhook_url"].value() == "https://sm.example.com/in"


@pytest.mark.django_db
def test_a_new_connection_needs_only_what_has_no_default():
    needed = ("name", "external_id", "odoo_url", "database", "username", "api_key", "webhook_url")
    assert filled(None, {name: GOOD[name] for name in needed}).is_valid()


@pytest.mark.django_db
def test_the_form_never_renders_a_stored_secret():
    html = ConnectionForm(instance=form().save()).as_p()
    assert "canary" not in html
    html = form(name="").as_p()
    assert "canary" not in html
