"""Addresses and forms that make no sense: an empty page, a refusal or “not found”, never an error of ours."""

from urllib.parse import quote, urlencode

import pytest
from django.test import Client

from sync.models import Run
from tests.core.admin.test_permissions import MODELS, model_of, routes, signed_in

HUGE, LONG, NUL = "9" * 30, "9" * 5000, "\0"
KEYS = [NUL, "abc", HUGE, "-1", LONG, "²", "["]
WORDS = [NUL, "a\0b", "abc", HUGE, LONG, "²", "", "a " * 2000, '"', "(a+)+$"]


def statuses(client, addresses):
    return {address[:100]: client.get(address).status_code for address in addresses}


def errors(found):
    return {address: status for address, status in found.items() if status >= 500}


@pytest.fixture
def superuser(fill):
    fill(1)
    return signed_in("superuser")


@pytest.mark.parametrize("key", KEYS, ids=lambda key: repr(key[:12]))
def test_no_key_in_an_address_is_an_error(superuser, key):
    wanted = [route for route in routes() if "<" in route]
    places = [part_by_part(route, quote(key, safe="")) for route in wanted]
    assert errors(statuses(superuser, places)) == {}
    answers = {place[:100]: superuser.post(place, {"reason": "x"}).status_code for place in places}
    assert errors(answers) == {}


def part_by_part(route, key):
    return "/".join(key if part.startswith("<") else part for part in route.split("/"))


@pytest.mark.parametrize("key", [NUL, "a\0b"])
def test_a_key_that_no_row_can_have_is_not_found(superuser, key):
    for label in MODELS:
        for page in ("change", "history", "delete"):
            place = f"/admin/{label}/{quote(key, safe='')}/{page}/"
            assert superuser.get(place).status_code in (404, 403), place  # 403: nobody deletes there
    assert superuser.get(f"/admin/r/1/{quote(key)}/").status_code == 404


@pytest.mark.parametrize("word", WORDS, ids=lambda word: repr(word[:12]))
def test_no_word_in_the_address_of_a_page_is_an_error(superuser, word):
    q, found = quote(word, safe=""), "/admin/autocomplete/?app_label=sync&field_name="
    places = [
        f"/admin/search/?s={q}",
        f"/admin/search/?s=a&page={q}",
        f"/admin/sync/seenorder/find/?q={q}",
        f"{found}connection&model_name=sentorder&term={q}",
        f"{found}connection&model_name=sentorder&page={q}",
        f"{found}item&model_name=deliveryattempt&term={q}",
        f"{found}item&model_name=deliveryattempt&page={q}",
        f"/admin/autocomplete/?app_label={q}&model_name={q}&field_name={q}",
        f"/admin/autocomplete/?app_label=admin&model_name=logentry&field_name=user&term={q}",
        f"/admin/jsi18n/?language={q}",
        f"/admin/?q={q}",
        *(f"/admin/sync/run/recover/?what=open&{name}={q}" for name in ("connection", "cause", "what")),
        f"/admin/sync/run/recover/?connection={q}&since={q}&until={q}",
    ]
    asked = urlencode(dict.fromkeys(("_changelist_filters", "tries-page", "p", "page", "_popup"), word))
    for label, model in MODELS.items():
        places.append(f"/admin/{label}/{model.objects.first().pk}/change/?{asked}")
        places.append(f"/admin/{label}/?q={q}&p={q}&o={q}&all={q}")
    assert errors(statuses(superuser, places)) == {}


@pytest.mark.parametrize("label", ["connections/connection", "core/alertchannel", "auth/user", "auth/group"])
def test_nothing_that_fills_in_a_form_is_an_error(superuser, label):
    names = ["copy", *(field.name for field in MODELS[label]._meta.get_fields())]
    asked = [dict.fromkeys(names, word) for word in (NUL, HUGE, LONG, "x")]
    assert errors(statuses(superuser, [f"/admin/{label}/add/?{urlencode(each)}" for each in asked])) == {}


def test_an_address_still_fills_in_a_form(superuser):
    answer = superuser.get("/admin/connections/connection/add/?name=Lugo&start_at=2026-01-01")
    initial = answer.context["adminform"].form.initial
    assert initial["name"] == "Lugo" and "start_at" not in initial


@pytest.mark.parametrize("label", ["auth/user", "auth/group"])
@pytest.mark.parametrize("key", [HUGE, "-" + HUGE, LONG, NUL, "abc", "987654"])
def test_rights_that_no_row_can_be_are_a_mistake_in_the_form(superuser, label, key):
    row = MODELS[label].objects.first()
    data = {"name": "x", "username": "x", "permissions": [key], "user_permissions": [key], "groups": [key]}
    answer = superuser.post(f"/admin/{label}/{row.pk}/change/", data)
    assert answer.status_code == 200 and answer.context["adminform"].form.errors


@pytest.mark.parametrize(("page", "shown"), [("²", 1), ("00", 1), (LONG, 1), ("2", 2), ("abc", 1), ("0", 1)])
def test_a_page_of_tries_that_is_not_there_is_the_first(superuser, page, shown):
    attempt = MODELS["sync/deliveryattempt"].objects.first()
    for number in range(30):
        attempt.pk, attempt.number = None, number + 10
        attempt.save()
    answer = superuser.get(f"/admin/sync/retryitem/{attempt.item_id}/change/?tries-page={page}")
    (tries,) = answer.context["inline_admin_formsets"]
    assert answer.status_code == 200 and tries.formset.page.number == shown


@pytest.mark.parametrize("word", [NUL, "", "a\0" * 16, "‮<>"], ids=repr)
def test_a_token_that_is_none_begins_a_run_of_its_own(superuser, owe, word):
    connection = MODELS["connections/connection"].objects.first()
    places = set()
    for number in (2, 3):
        owe(connection, number)
        answer = superuser.post("/admin/sync/run/recover/", {"what": "failed", "token": word})
        assert answer.status_code == 302
        places.add(answer["Location"])
    assert len(places) == 2 and all(run.token.isalnum() for run in Run.objects.order_by("-pk")[:2])


@pytest.mark.parametrize("word", [NUL, HUGE, LONG, "abc", ""], ids=lambda word: repr(word[:6]))
def test_nothing_posted_to_a_page_is_an_error(superuser, word):
    run, q = Run.objects.first(), quote(word, safe="")
    posts = {
        f"/admin/sync/run/{run.pk}/wish/": {"wish": word},
        f"/admin/sync/run/{run.pk}/undo/": {"token": word},
        "/admin/sync/run/recover/": {"what": word, "token": word, "connection": word, "confirmed": word},
        "/admin/sync/run/recover/?x": {"what": "discard", "reason": word, "token": word},
        "/admin/password_change/": {"old_password": word, "new_password1": word},
        "/i18n/setlang/": {"language": word, "next": word},
        f"/nudge/{q or 'x'}/": {"x": word},
    }
    for client in (superuser, Client()):
        assert errors({place: client.post(place, data).status_code for place, data in posts.items()}) == {}


@pytest.mark.parametrize("name", ["x" * 151, "x" * 5000, NUL])
def test_a_name_that_no_user_can_have_is_a_mistake_in_the_form(db, name):
    answer = Client().post(f"/admin/login/?next={quote(NUL)}", {"username": name, "password": "x"})
    assert answer.status_code == 200 and answer.context["form"].errors["username"]


def test_a_nudge_that_announces_a_number_of_5000_digits_is_too_large(db):
    assert Client().post("/nudge/x/", {}, headers={"Content-Length": LONG}).status_code == 413


def test_every_route_of_a_row_is_asked():
    """The walk above knows a key by its brackets."""
    assert sum("<" in route for route in routes() if model_of(route)[0]) > 60
