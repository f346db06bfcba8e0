"""Who may not is told so, whether or not there is such a row: asking does not tell which rows there are."""

import re

import pytest
from django.test import Client

from sync.models import Run
from tests.core.admin.test_permissions import PEOPLE, address, expected, model_of, routes, sees, signed_in

MISSING = "987654321"


def without_a_row(route):
    return re.sub(r"<[^>]+>", MISSING, route)


@pytest.mark.parametrize("person", PEOPLE[:-1])
def test_a_missing_row_is_refused_as_one_that_is_there(fill, person):
    fill(1)
    client = signed_in(person)
    routes_of_rows = [route for route in routes() if model_of(route)[0] and "<" in route]
    refused = [route for route in routes_of_rows if expected(route, person) == 403]
    assert len(refused) > 10
    for route in refused:
        assert client.get(without_a_row(route)).status_code == 403, route
        answers = [client.post(place, {"post": "yes"}) for place in (address(route), without_a_row(route))]
        assert [answer.status_code for answer in answers] == [403, 403], route


@pytest.mark.parametrize("person", ["Viewer", "Support", "Administrator", "superuser"])
def test_who_may_see_rows_is_told_that_one_is_missing(fill, person):
    fill(1)
    client = signed_in(person)
    for route in (route for route in routes() if model_of(route)[0] and "<" in route):
        if sees(model_of(route)[0], person):
            assert client.get(without_a_row(route)).status_code in (200, 302, 403, 404, 405), route
    missing = client.get(f"/admin/sync/seenorder/{MISSING}/change/", follow=True)
    assert MISSING in missing.content.decode()


@pytest.mark.parametrize("act", ["wish", "undo"])
def test_who_may_only_look_at_runs_cannot_tell_by_acting_which_there_are(fill, act):
    fill(1)
    client, run = signed_in("Viewer"), Run.objects.first()
    for number in (run.pk, MISSING):
        assert client.post(f"/admin/sync/run/{number}/{act}/", {"wish": "go"}).status_code == 403
    assert signed_in("Support").post(f"/admin/sync/run/{MISSING}/{act}/", {"wish": "go"}).status_code == 404


@pytest.mark.parametrize("number", ["1", MISSING])
def test_who_may_not_change_connections_tries_none(fill, number):
    fill(1)
    place = f"/admin/connections/connection/{number}/try/"
    assert signed_in("Support").post(place).status_code == 403


@pytest.mark.parametrize("key", ["1", MISSING, "abc", "\0"])
@pytest.mark.parametrize(
    ("person", "label", "action"),
    [
        ("Viewer", "sync/retryitem", "retry"),
        ("Viewer", "sync/seenorder", "discard"),
        ("Support", "connections/connection", "rotate_secret"),
        ("Administrator", "connections/connection", "delete_selected"),
        ("superuser", "sync/synclog", "delete_selected"),
    ],
)
def test_an_action_of_a_list_that_is_not_for_them_is_refused(fill, person, label, action, key):
    fill(1)
    data = {"action": action, "_selected_action": [key], "index": "0"}
    assert signed_in(person).post(f"/admin/{label}/", data).status_code == 403


@pytest.mark.parametrize(
    ("person", "app", "status"),
    [("nobody", "sync", 403), ("Viewer", "auth", 403), ("Viewer", "sync", 200), ("superuser", "axes", 200)],
)
def test_the_page_of_an_app_is_for_who_sees_a_table_of_it(db, person, app, status):
    assert signed_in(person).get(f"/admin/{app}/").status_code == status


def test_who_did_not_log_in_sees_the_login_whatever_is_asked_for(fill):
    fill(1)
    for route in (route for route in routes() if model_of(route)[0] and "<" in route):
        answer = Client().get(without_a_row(route))
        assert answer.status_code == 302 and answer["Location"].startswith("/admin/login/"), route
