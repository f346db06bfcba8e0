"""What the address of a list may ask: every list, every column, every kind of person."""

import html
import re
from urllib.parse import parse_qsl, urljoin, urlsplit

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.contrib.messages.storage.cookie import CookieStorage
from django.db.models import CharField, TextField
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from connections.models import Connection
from core.admin.lookups import EmptyList
from sync.models import DeliveryAttempt, RetryItem, RunRow, SeenOrder, Status, SyncLog
from tests.core.admin.test_permissions import MODELS, PEOPLE, sees, signed_in

OF_CONNECTION = {"connection__id__exact"}
OF_ORDER = OF_CONNECTION | {"order_id"}


def moments(column):
    return {f"{column}_{end}_{part}" for end in ("from", "to") for part in "01"}


def equal(column):
    return {f"{column}__exact", f"{column}__isnull"}


# Besides the key. What is not here has no filter.
ASKED = {
    "connections/connection": {"health_state", "owed"} | equal("enabled"),
    "sync/seenorder": OF_ORDER | {"state", "seeded"},
    "sync/sentorder": OF_ORDER | {"how", "event"} | moments("sent_at"),
    "sync/retryitem": OF_ORDER | {"status", "cause", "event"} | moments("created_at"),
    "sync/deliveryattempt": OF_ORDER | {"problem"} | equal("delivered"),
    "sync/synclog": OF_CONNECTION | {"problem", "started_at__gte", "started_at__lt"} | equal("kind"),
    "core/finding": OF_CONNECTION,
    "core/alert": OF_CONNECTION,
    "sync/question": OF_CONNECTION | equal("kind"),
    "sync/reconciliation": OF_CONNECTION | equal("progress"),
    "sync/run": equal("kind"),
    "auth/user": equal("is_staff")
    | equal("is_superuser")
    | equal("is_active")
    | {"groups__id__exact", "groups__isnull"},
    "django_q/success": {"started__gte", "started__lt"},
    "django_q/failure": {"started__gte", "started__lt"},
}
LOOKUPS = [
    "",
    "exact",
    "iexact",
    "contains",
    "startswith",
    "regex",
    "iregex",
    "gt",
    "lt",
    "in",
    "isnull",
    "year",
]
SAID = "Nothing is shown"


def admin_of(label):
    return admin.site._registry[MODELS[label]]


def ask(user, label, asked):
    """The list of an address, as its page is written from it."""
    request = RequestFactory().get("/", asked)
    request.user = user
    request._messages = CookieStorage(request)
    return admin_of(label).get_changelist_instance(request)


def questions(model):
    """Every look-up of every column, and one of each column of the tables one step away, both ways."""
    for field in model._meta.concrete_fields:
        yield from (f"{field.name}__{lookup}".removesuffix("__") for lookup in LOOKUPS)
    for field in model._meta.get_fields():
        for column in field.related_model._meta.concrete_fields if field.is_relation else ():
            yield f"{field.name}__{column.name}__startswith"


def guess(row, question):
    """A right one, so that an answer would show the row."""
    column, _, lookup = question.partition("__")
    value = getattr(row, column, None)
    right = {"isnull": value is None, "regex": ".*", "iregex": ".*", "year": getattr(value, "year", 2026)}
    return str(right.get(lookup.rpartition("__")[2], value))


@pytest.mark.django_db
@pytest.mark.parametrize("label", sorted(MODELS))
def test_a_list_may_be_asked_for_its_key_its_filters_and_our_links_alone(label):
    model_admin, key = admin_of(label), MODELS[label]._meta.pk.name
    keys = {name + lookup for name in ("pk", key) for lookup in ("", "__exact", "__in")}
    assert model_admin.known_lookups == keys | ASKED.get(label, set())


@pytest.mark.django_db
@pytest.mark.parametrize("label", sorted(MODELS))
def test_no_list_answers_any_other_question(fill, label):
    fill(2)
    people = [User.objects.create_user("ana", is_staff=True), User.objects.create_superuser("eva")]
    row, known = MODELS[label].objects.first(), admin_of(label).known_lookups
    asked = [(question, guess(row, question)) for question in questions(MODELS[label])]
    answered = []
    for number, (question, value) in enumerate(each for each in asked if each[0] not in known):
        shown = ask(people[number % 2], label, {question: value})
        if not isinstance(shown, EmptyList) or list(shown.result_list):
            answered.append(question)
    assert not answered


@pytest.mark.django_db
@pytest.mark.parametrize("person", PEOPLE[1:])
def test_every_list_refuses_in_words_and_alike_whatever_is_guessed(fill, person):
    fill(2)
    client = signed_in(person)
    shown = [label for label in MODELS if sees(label, person)]
    assert shown
    for label in shown:
        names = [field.name for field in MODELS[label]._meta.concrete_fields if not field.primary_key]
        row, place = MODELS[label].objects.first(), f"/admin/{label}/"
        question = f"{names[len(place) % len(names)]}__startswith"
        right, wrong = (client.get(place, {question: value}) for value in (guess(row, question), "~"))
        assert right.status_code == wrong.status_code == 200, label
        assert SAID in right.content.decode() and rows_of(right) == rows_of(wrong) == [], label


def rows_of(answer):
    return list(answer.context["cl"].result_list)


@pytest.mark.parametrize(
    ("model", "asked"),
    [
        (RetryItem, {"status": "all", "body__startswith": '{"order"'}),
        (RetryItem, {"status": "all", "body__contains": "name"}),
        (RetryItem, {"tries__answer__startswith": "shown to nobody"}),
        (DeliveryAttempt, {"answer__startswith": "shown to nobody"}),
        (DeliveryAttempt, {"answer__regex": "(s+)+h"}),
        (DeliveryAttempt, {"item__body__contains": "order"}),
        (DeliveryAttempt, {"connection__api_key": "x"}),
        (Connection, {"webhook_secret__gt": "a"}),
        (User, {"password__startswith": "pbkdf2"}),
    ],
)
def test_a_hidden_column_is_not_told_to_the_highest_either(admin_client, fill, model, asked):
    fill(2)
    DeliveryAttempt.objects.update(answer="shown to nobody")
    place = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
    answer = admin_client.get(reverse(place), asked)
    assert SAID in answer.content.decode() and rows_of(answer) == []


def test_a_search_finds_no_row_by_what_its_reader_cannot_see(fill):
    """Each column holds a word of its own: where the word finds the row, the row's page shows the word."""
    fill(1)
    viewer, administrator = signed_in("Viewer"), signed_in("Administrator")
    found = set()
    for label in (
        label for label in MODELS if sees(label, "Administrator") and admin_of(label).search_fields
    ):
        reader = viewer if sees(label, "Viewer") else administrator
        found |= found_by_searching(reader, label)
    assert {"order_name", "reference", "event_id", "name", "username"} <= found


def found_by_searching(client, label):
    model, place = MODELS[label], f"/admin/{label}/"
    row = model.objects.first()
    texts = [f for f in model._meta.concrete_fields if isinstance(f, CharField | TextField) and not f.choices]
    words = {f.name: f"zq{number}x" for number, f in enumerate(texts) if not f.primary_key}
    model.objects.filter(pk=row.pk).update(**words)
    status = {"status": "all"} if model is RetryItem else {}
    found = {name for name, word in words.items() if rows_of(client.get(place, status | {"q": word}))}
    page = client.get(f"{place}{row.pk}/change/").content.decode()
    assert not {name for name in found if words[name] not in page}, label
    return found


def test_no_list_is_sorted_by_what_it_does_not_show():
    hidden = {
        "body",
        "answer",
        "api_key",
        "webhook_secret",
        "target",
        "secret",
        "password",
        "result",
        "payload",
    }
    for label in MODELS:
        model_admin = admin_of(label)
        sorts = [
            getattr(getattr(model_admin, name, None), "admin_order_field", name)
            for name in model_admin.list_display
        ]
        assert not hidden.intersection(str(sort).lstrip("-") for sort in sorts if sort), label


def lists_linked_from(client, page):
    """The addresses of lists with a question in them, that a page leads to."""
    answer = client.get(page)
    assert answer.status_code == 200, page
    for link in re.findall(r'href="([^"]*)"', answer.content.decode()):
        address = urljoin(page, html.unescape(link))
        if re.fullmatch(r"/admin/\w+/\w+/", urlsplit(address).path) and urlsplit(address).query:
            yield address


@pytest.fixture
def busy(fill, owe):
    """Rows of everything, among them what the first page and the list of connections link to."""
    fill(2)
    owe(Connection.objects.first(), 5, status=Status.PENDING)
    Connection.objects.last().retry_items.update(error_code="receiver_timeout")
    RunRow.objects.update(state="left")


def test_every_link_of_the_product_to_a_list_still_works(admin_client, busy):
    pages = ["/admin/", "/admin/sync/seenorder/find/?q=S1", "/admin/sync/run/recover/?what=open"]
    for label, model in MODELS.items():
        pages += [f"/admin/{label}/", f"/admin/{label}/{model.objects.first().pk}/change/"]
    links = {link for page in pages for link in lists_linked_from(admin_client, page)}
    sorts = {urlsplit(link).path: link for link in links if "o=" in urlsplit(link).query}
    links = {link for link in links if "o=" not in urlsplit(link).query} | set(sorts.values())
    for link in links:
        answer = admin_client.get(link)
        assert answer.status_code == 200 and not isinstance(answer.context["cl"], EmptyList), link
    used = {name for link in links for name, _value in parse_qsl(urlsplit(link).query)}
    assert {
        "connection__id__exact",
        "order_id",
        "status",
        "cause",
        "health_state",
        "kind__exact",
        "o",
    } <= used


@pytest.mark.parametrize("label", sorted(ASKED))
def test_every_filter_still_filters(admin_client, busy, label):
    place = f"/admin/{label}/"
    shown = admin_client.get(place).context["cl"]
    forms = [each["form"] for spec in shown.filter_specs for each in spec.choices(shown) if "form" in each]
    inputs = {name: "" for form in forms for name in re.findall(r' name="([^"]+)"', str(form))}
    everything = admin_client.get(place, inputs)  # as a browser sends what nobody chose
    assert not isinstance(everything.context["cl"], EmptyList)
    for form in forms:
        for name, field in form.fields.items():
            for value, _text in getattr(field, "choices", []):
                answer = admin_client.get(place, {name: getattr(value, "value", value)})
                assert not isinstance(answer.context["cl"], EmptyList), (name, value)


@pytest.mark.parametrize(
    ("asked", "rows"),
    [
        ({"connection__id__exact": "{connection}"}, 2),
        ({"order_id": "1"}, 2),
        ({"pk": "{pk}"}, 1),
        ({"id__exact": "{pk}"}, 1),
        ({"id__in": "{pk},987654"}, 1),
        ({"connection__id__exact": "{connection}", "status": "failed"}, 1),
        ({"status": "failed", "cause": "receiver_refused", "order_id": "1"}, 1),
        ({"created_at_from_0": "2020-01-01", "created_at_from_1": "00:00:00"}, 3),
        ({"created_at_from_0": "2020-01-01", "created_at_from_1": ""}, 3),
        ({"created_at_to_0": "2020-01-01", "created_at_to_1": "10:00"}, 0),
        ({"created_at_to_0": "{today}"}, 3),
        ({"created_at_from_0": "{today}", "created_at_to_0": "{today}"}, 3),
    ],
)
def test_what_may_be_asked_is_answered(admin_client, busy, asked, rows):
    item = RetryItem.objects.filter(order_id=1).first()
    keys = {"pk": item.pk, "connection": Connection.objects.first().pk, "today": timezone.localdate()}
    given = {name: value.format(**keys) for name, value in asked.items()}
    assert len(rows_of(admin_client.get("/admin/sync/retryitem/", given))) == rows


@pytest.mark.parametrize(
    "asked",
    [
        {"q": "\0"},
        {"q": "S1 \0"},
        {"\0": "1"},
        {"order_id": "\0"},
        {"order_id": "abc"},
        {"order_id": "9" * 5000},
        {"order_id": "²"},
        {"id__in": "1,\0"},
        {"pk": "1.5"},
        {"connection__id__exact": "abc"},
        {"cause": "\0"},
        {"status": "nonsense"},
        {"event": "\0"},
        {"created_at_from_0": "2026-13-45", "created_at_from_1": "00:00:00"},
        {"created_at_to_0": "\0", "created_at_to_1": "\0"},
        {"created_at_to_0": "2026-01-01", "created_at_to_1": "25:00"},
        {"created_at_from_1": "10:00"},
        {"created_at__year": "99999999"},
        {"body": "a"},
        {"page": "abc"},
        {"nonsense": "1"},
        {"_to_field": "event_id"},
        {"_to_field": "\0"},
    ],
    ids=lambda asked: str(asked)[:60],
)
def test_what_makes_no_sense_is_an_empty_list_that_says_so(admin_client, busy, asked):
    answer = admin_client.get("/admin/sync/retryitem/", {"status": "all"} | asked)
    assert answer.status_code == 200
    assert SAID in answer.content.decode() and rows_of(answer) == []


@pytest.mark.parametrize(
    ("asked", "rows"),
    [
        ({"kind__exact": "\0"}, {0}),
        ({"connection__id__exact": "9" * 30}, {0}),
        ({"connection__id__exact": ["", "9" * 30]}, {0}),
        ({"connection__id__exact": ""}, {2}),
        ({"started_at__gte": "9999-12-31 23:59:59-14:00"}, {0}),
        # What PostgreSQL compares with, and SQLite cannot be asked: nothing is shown there.
        ({"started_at__gte": "0001-01-01 00:00:00+14:00"}, {0, 2}),
        ({"id__in": "{pk}," + "9" * 30}, {0, 1}),
    ],
)
def test_a_value_out_of_range_is_no_error(admin_client, busy, asked, rows):
    pk = SyncLog.objects.first().pk
    given = {name: value if isinstance(value, list) else value.format(pk=pk) for name, value in asked.items()}
    answer = admin_client.get("/admin/sync/synclog/", given)
    assert answer.status_code == 200 and len(rows_of(answer)) in rows


def test_a_page_that_is_not_there_is_the_nearest(admin_client, shop, owe):
    connection = shop()
    for number in range(1, 52):
        owe(connection, number)
    first, last, none = ("abc", "0", "-1", "1", "9" * 5000, "²"), ("2", "9" * 30), ("\0x",)
    found = {}
    for page in (*first, *last, *none):
        answer = admin_client.get("/admin/sync/retryitem/", {"p": page, "o": "999.-7.x.²"})
        found[page] = len(rows_of(answer))
    assert found == dict.fromkeys(first, 50) | dict.fromkeys(last, 1) | dict.fromkeys(none, 0)


@pytest.mark.parametrize("asked", ["body__startswith=x", "q=%00", "order_id=abc"])
def test_an_action_on_a_refused_list_does_nothing(admin_client, busy, asked):
    everything = {"action": "retry", "select_across": "1", "index": "0"}
    everything["_selected_action"] = list(map(str, RetryItem.objects.values_list("pk", flat=True)))
    before = list(RetryItem.objects.values("status", "next_retry_at"))
    answer = admin_client.post(f"/admin/sync/retryitem/?status=all&{asked}", everything)
    assert answer.status_code == 302
    assert list(RetryItem.objects.values("status", "next_retry_at")) == before


@pytest.mark.parametrize("key", ["\0", "abc", "9" * 30, "-" + "9" * 30, "9" * 5000, "", "1,2", "²"])
@pytest.mark.parametrize(("label", "action"), [("sync/retryitem", "retry"), ("sync/seenorder", "discard")])
@pytest.mark.parametrize("across", ["0", "1"])
def test_keys_that_no_row_can_have_are_left_out(admin_client, busy, label, action, key, across):
    SeenOrder.objects.filter(order_id=5).delete()
    item = RetryItem.objects.filter(order_id=1).first()
    data = {"action": action, "_selected_action": [key], "select_across": across, "token": "\0"}
    assert admin_client.post(f"/admin/{label}/?order_id=987654", data).status_code == 302
    data |= {"_selected_action": [key, str(item.pk)], "select_across": "0"}
    assert admin_client.post(f"/admin/{label}/?status=all", data).status_code in (200, 302)
