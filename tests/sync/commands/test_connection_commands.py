"""addconnection, editconnection, deleteconnection: what people configure from a terminal."""

import io
from datetime import timedelta

import pytest

from connections.models import Connection
from sync.models import DeliveryAttempt, PollState, RetryItem, SentOrder, SyncLog
from tests.conftest import NOON
from tests.connections.test_form import FRESH
from tests.factories import CANARY_KEY, CANARY_SECRET, logged, owed, polled, sent, tried

WHOLE = {
    "--name": "Shop Madrid",
    "--connection-id": "es-1",
    "--url": "https://shop.odoo.com",
    "--database": "shop",
    "--username": "poller@shop.es",
    "--api-key": CANARY_KEY,
    "--webhook-url": "https://stockmaster.example.com/odoo",
    "--webhook-secret": CANARY_SECRET,
    "--interval": "45",
}

pytestmark = pytest.mark.django_db


def add(**changes):
    """A whole command line; a keyword replaces a flag, None leaves it out."""
    flags = WHOLE | {f"--{name.replace('_', '-')}": value for name, value in changes.items()}
    return [
        "addconnection",
        *(word for flag, value in flags.items() if value is not None for word in (flag, value)),
    ]


def test_the_old_pollers_flags_make_a_connection(run, nobody):
    printed = run(*add(), "--disabled")
    made = Connection.objects.get()
    assert (printed.code, made.name, made.external_id, made.enabled) == (0, "Shop Madrid", "es-1", False)
    assert (made.odoo_url, made.database, made.poll_interval_seconds) == ("https://shop.odoo.com", "shop", 45)
    assert (made.api_key.reveal(), made.webhook_secret.reveal()) == (CANARY_KEY, CANARY_SECRET)
    assert f"testconnection {made.pk}" in printed.out
    assert CANARY_KEY not in printed.all and CANARY_SECRET not in printed.all


def test_a_generated_secret_is_shown_once(run, nobody):
    printed = run(*add(webhook_secret=None))
    secret = Connection.objects.get().webhook_secret.reveal()
    assert secret.startswith("whsec_") and printed.out.count(secret) == 1


def test_secrets_come_from_standard_input(run, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{CANARY_KEY}\n{CANARY_SECRET}\r\n"))
    assert run(*add(api_key="-", webhook_secret="-")).code == 0
    made = Connection.objects.get()
    assert (made.api_key.reveal(), made.webhook_secret.reveal()) == (CANARY_KEY, CANARY_SECRET)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ({"start": "now"}, {"start": "now", "start_at": None}),
        ({"start": "all"}, {"start": "all", "start_at": None}),
        ({"start": "2026-11-01"}, {"start": "date"}),
        ({"company": "3"}, {"company_id": 3}),
        ({"company": ""}, {"company_id": None}),
        ({"events": "confirmed, order.cancelled"}, {"events": ["order.confirmed", "order.cancelled"]}),
        ({"protocol": "json2"}, {"protocol": "json2"}),
        (
            {"answer_pointer": "/ok", "answer_value": "true"},
            {"answer_pointer": "/ok", "answer_value": "true"},
        ),
        ({}, {"answer_pointer": "", "answer_value": ""}),
        ({"deliveries_at_once": "4"}, {"deliveries_at_once": 4}),
        ({}, {"enabled": True, "send_secret_header": True, "start": "now", "lookback_seconds": 1200}),
    ],
)
def test_what_flags_mean(run, nobody, flags, expected):
    assert run(*add(**flags)).error == ""
    made = Connection.objects.get()
    assert {name: getattr(made, name) for name in expected} == expected


def test_the_day_of_the_first_run_is_a_day_here(run, nobody, settings):
    settings.TIME_ZONE = "Europe/Madrid"
    run(*add(start="2026-11-01"))
    assert Connection.objects.get().start_at.isoformat() == "2026-10-31T23:00:00+00:00"


@pytest.mark.parametrize(
    ("flags", "flag"),
    [
        ({"name": None}, "--name"),
        ({"name": "Shop\nSubject: other"}, "--name"),
        ({"name": "Shop \u202eladiM"}, "--name"),
        ({"database": "shop\u2028x"}, "--database"),
        ({"username": "poller\x1b[2J"}, "--username"),
        ({"url": "https://shop.odoo\u2060.com"}, "--url"),
        ({"webhook_url": "https://x.example.com/\u202ea"}, "--webhook-url"),
        ({"api_key": CANARY_KEY + "\u200b1"}, "--api-key"),
        ({"connection_id": "es 1"}, "--connection-id"),
        ({"url": "odoo"}, "--url"),
        ({"url": None}, "--url"),
        ({"database": None}, "--database"),
        ({"api_key": None}, "--api-key"),
        ({"webhook_url": "ftp://x.example.com"}, "--webhook-url"),
        ({"webhook_secret": "with space"}, "--webhook-secret"),
        ({"interval": "4"}, "--interval"),
        ({"interval": "often"}, "--interval"),
        ({"start": "yesterday"}, "--start"),
        ({"events": "shipped"}, "--events"),
        ({"events": ""}, "--events"),
        ({"company": "Madrid"}, "--company"),
        ({"protocol": "soap"}, "--protocol"),
        ({"answer_pointer": "ok", "answer_value": "true"}, "--answer-pointer"),
        ({"answer_pointer": "/ok"}, "--answer-value"),
    ],
)
def test_mistakes_are_sentences_about_their_flag(run, nobody, flags, flag):
    printed = run(*add(**flags))
    assert (printed.code, Connection.objects.count()) == (1, 0)
    assert flag in printed.error
    assert CANARY_KEY not in printed.all and "with space" not in printed.all


def test_all_mistakes_at_once(run, nobody):
    printed = run("addconnection", "--interval", "1")
    for flag in ("--name", "--connection-id", "--url", "--database", "--api-key", "--interval"):
        assert f"\n{flag}: " in printed.error


def test_an_empty_standard_input(run, nobody):
    assert "standard input was empty" in run(*add(api_key="-")).error


def test_a_name_is_taken(run, nobody, shop):
    printed = run(*add(name=shop.name.upper(), connection_id=shop.external_id))
    assert "--name: " in printed.error and "--connection-id: " in printed.error


@pytest.mark.parametrize("secret", ["hello", "whsec_abc", f"v1,{CANARY_SECRET}"])
def test_a_legacy_secret_needs_its_flag(run, nobody, secret):
    printed = run(*add(webhook_secret=secret))
    assert (printed.code, Connection.objects.count()) == (1, 0)
    assert "--webhook-secret: " in printed.error and "--legacy-secret" in printed.error
    assert secret not in printed.all
    assert run(*add(webhook_secret=secret), "--legacy-secret").error == ""
    assert Connection.objects.get().webhook_secret.reveal() == secret


@pytest.mark.parametrize(
    ("answers", "hidden", "kept"), [(["yes"], [], "hello"), (["no"], [CANARY_SECRET], CANARY_SECRET)]
)
def test_a_person_is_asked_whether_a_legacy_secret_is_meant(run, person, answers, hidden, kept):
    asked = person(*answers, hidden=hidden)
    printed = run(*add(webhook_secret="hello"))
    assert printed.error == "" and "Standard Webhooks library" in printed.out
    assert "Use it all the same?" in asked[0]
    assert Connection.objects.get().webhook_secret.reveal() == kept


def test_a_person_is_asked_for_what_is_missing(run, person):
    asked = person(
        "Shop Madrid", "es-1", "https://shop.odoo.com", "shop", "poller@shop.es",
        "https://stockmaster.example.com/odoo", hidden=[CANARY_KEY],
    )  # fmt: skip
    printed = run("addconnection", "--interval", "30")
    made = Connection.objects.get()
    assert (made.name, made.database, made.poll_interval_seconds) == ("Shop Madrid", "shop", 30)
    assert made.api_key.reveal() == CANARY_KEY
    assert len(asked) == 7 and "API key: " in asked
    assert CANARY_KEY not in printed.all


def test_a_person_is_told_and_asked_again(run, person):
    person("https://shop.odoo.com")
    printed = run(*add(url="nonsense"))
    assert printed.code == 0 and Connection.objects.get().odoo_url == "https://shop.odoo.com"


def test_a_person_who_leaves(run, person):
    person("Shop Madrid")
    printed = run("addconnection")
    assert printed.code == 1 and "Stopped" in printed.error and not Connection.objects.exists()


def test_a_person_who_leaves_at_the_secret(run, person):
    person()
    printed = run(*add(api_key="-"))
    assert printed.code == 1 and "Stopped" in printed.error and not Connection.objects.exists()


def test_a_person_who_presses_control_c(run, person, monkeypatch):
    person()

    def interrupt(prompt):
        raise KeyboardInterrupt

    monkeypatch.setattr("builtins.input", interrupt)
    printed = run("addconnection")
    assert (printed.code, printed.error) == (130, "Stopped.")


# --- editconnection -------------------------------------------------------------------------------------


def test_only_what_is_named_changes(run, nobody, shop):
    polled(shop, next_poll_at=NOON.replace(year=2030))
    before = Connection.objects.values().get()
    printed = run("editconnection", "shop madrid", "--interval", "30", "--disabled", "--no-secret-header")
    after = Connection.objects.values().get()
    changed = {name for name in after if after[name] != before[name]}
    assert printed.error == ""
    assert changed == {"poll_interval_seconds", "enabled", "send_secret_header", "updated_at"}
    assert PollState.objects.get().next_poll_at.year < 2030


def test_a_new_key_and_a_new_secret(run, monkeypatch, shop):
    monkeypatch.setattr("sys.stdin", io.StringIO("another-key\n"))
    printed = run("editconnection", str(shop.pk), "--api-key", "-", "--new-webhook-secret")
    shop.refresh_from_db()
    assert shop.api_key.reveal() == "another-key" and "another-key" not in printed.all
    assert shop.webhook_secret.reveal() != CANARY_SECRET
    assert printed.out.count(shop.webhook_secret.reveal()) == 1


@pytest.mark.parametrize(("flags", "hours"), [([], 24), (["--overlap-hours", "48"], 48)])
def test_an_old_webhook_secret_signs_on(run, nobody, shop, flags, hours):
    printed = run("editconnection", str(shop.pk), "--new-webhook-secret", *flags)
    old = shop.retired_secrets.get()
    assert old.secret.reveal() == CANARY_SECRET and CANARY_SECRET not in printed.all
    assert old.valid_until - old.retired_at == timedelta(hours=hours)
    assert "signs beside it until" in printed.out and old.retired_by.endswith("(manage.py)")


def test_a_webhook_secret_is_replaced_at_once(run, nobody, shop):
    printed = run("editconnection", str(shop.pk), "--webhook-secret", FRESH, "--overlap-hours", "0")
    assert printed.error == "" and "signs beside" not in printed.out
    assert not shop.retired_secrets.exists()


def test_a_stored_connection_takes_a_legacy_secret_by_the_flag_only(run, nobody, shop):
    line = ("editconnection", str(shop.pk), "--webhook-secret", "hello")
    assert "--legacy-secret" in run(*line).error
    assert "Say what to change" in run("editconnection", str(shop.pk), "--legacy-secret").error
    assert run(*line, "--legacy-secret").error == ""
    shop.refresh_from_db()
    assert shop.webhook_secret.reveal() == "hello"


def test_another_address_wants_its_key_typed_again(run, nobody, shop):
    printed = run("editconnection", str(shop.pk), "--url", "https://evil.example.com")
    assert printed.code == 1 and "--api-key: The address of Odoo is another one" in printed.error
    printed = run("editconnection", str(shop.pk), "--webhook-url", "https://evil.example.com")
    assert printed.code == 1 and "--webhook-secret: The webhook address is another one" in printed.error


def test_a_person_is_asked_for_the_key_of_another_address(run, person, shop):
    asked = person(hidden=["", "typed-again"])
    printed = run("editconnection", str(shop.pk), "--url", "https://new.example.com")
    shop.refresh_from_db()
    assert (shop.odoo_url, shop.api_key.reveal()) == ("https://new.example.com", "typed-again")
    assert asked == ["API key: "] * 2 and "type the API key again" in printed.out


def test_a_start_date_is_kept_and_changed(run, nobody, shop):
    assert run("editconnection", str(shop.pk), "--start", "2026-11-01").error == ""
    assert run("editconnection", str(shop.pk), "--interval", "30").error == ""
    shop.refresh_from_db()
    assert (shop.start, shop.start_at.date().isoformat()) == ("date", "2026-11-01")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ([], "Say what to change"),
        (["--interval", "1"], "--interval: "),
        (["--overlap-hours", "-1"], "--overlap-hours: "),
        (["--enabled", "--disabled"], "not allowed with"),
        (["--name", ""], "--name: "),
    ],
)
def test_what_cannot_be_changed(run, nobody, shop, line, words):
    before = Connection.objects.values().get()
    printed = run("editconnection", str(shop.pk), *line)
    assert printed.code == 1 and words in printed.error
    assert Connection.objects.values().get() == before


# --- deleteconnection -----------------------------------------------------------------------------------


@pytest.fixture
def known(shop):
    owed(shop)
    sent(shop, number=2)
    return shop


def test_deleting_says_what_goes_and_asks(run, person, known):
    asked = person("yes")
    printed = run("deleteconnection", "Shop Madrid")
    assert "orders sent: 1" in printed.out and "owes its receiver 1" in printed.out
    assert "Shop Madrid" in asked[0]
    assert not Connection.objects.exists() and not RetryItem.objects.exists()


@pytest.mark.parametrize("answer", ["", "no", "n", "maybe"])
def test_anything_but_yes_deletes_nothing(run, person, known, answer):
    person(answer)
    printed = run("deleteconnection", str(known.pk))
    assert (printed.code, printed.error) == (1, "Nothing was deleted.")
    assert Connection.objects.exists()


def test_nobody_to_ask(run, nobody, known):
    printed = run("deleteconnection", str(known.pk))
    assert printed.code == 1 and "--yes" in printed.error and Connection.objects.exists()


def test_yes_in_advance(run, nobody, shop):
    printed = run("deleteconnection", str(shop.pk), "--yes")
    assert printed.code == 0 and "owes" not in printed.out
    assert not Connection.objects.exists()


def test_a_long_history_goes_in_small_steps(run, nobody, known, make_connection, monkeypatch):
    monkeypatch.setattr("core.background.bulk.DELETED_PER_STATEMENT", 2)
    for number in range(10, 15):
        tried(owed(known, number=number))
        logged(known)
    other = owed(make_connection())
    assert run("deleteconnection", str(known.pk), "--yes").code == 0
    assert list(RetryItem.objects.all()) == [other]
    assert not any(model.objects.exists() for model in (DeliveryAttempt, SyncLog, SentOrder))
