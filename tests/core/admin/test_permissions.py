"""Every address as every kind of person. Looking changes nothing; nor does a lost token."""

import re

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.core import serializers
from django.test import Client
from django.urls import URLResolver, get_resolver

PEOPLE = ["nobody", "Viewer", "Support", "Administrator", "superuser"]  # each may what those before it may
NOBODY_AT_ALL = "none"
MODELS = {f"{m._meta.app_label}/{m._meta.model_name}": m for m in admin.site._registry}

# Who is the first in the row above to get in. What is not in these tables is for nobody.
SEES = {
    "core": "Viewer",
    "sync": "Viewer",
    "connections": "Viewer",
    "auth": "Administrator",
    "axes": "Administrator",
    "django_q": "Administrator",
    "django_q/ormq": "superuser",
}
OBJECT_PAGES = {"": "", "<path:object_id>/history/": "", "<path:object_id>/change/": ""}
CHANGES = {
    "core/alertchannel/add/": "Administrator",
    "core/alertchannel/<path:object_id>/delete/": "Administrator",
    "connections/connection/add/": "Administrator",
    "connections/connection/<path:object_id>/delete/": "Administrator",
    "auth/user/add/": "Administrator",
    "auth/user/<path:object_id>/delete/": "superuser",
    "auth/user/<id>/password/": "Administrator",
    "auth/group/add/": "superuser",
    "auth/group/<path:object_id>/delete/": "superuser",
    "axes/accessattempt/<path:object_id>/delete/": "Administrator",
}
ACTS = {
    "core/alertchannel/<path:object_id>/test-alert/": "Administrator",
    "connections/connection/<path:object_id>/test/": "Support",
    "connections/connection/<int:number>/test/part/": "Support",
    "connections/connection/try/part/": "Administrator",
    "connections/connection/<int:number>/try/part/": "Administrator",
    "connections/connection/<path:object_id>/resume/": "Support",
    "connections/connection/<path:object_id>/reset-circuit/": "Support",
    "connections/connection/<path:object_id>/poll/": "Support",
    "connections/connection/<path:object_id>/reconcile/": "Support",
    "connections/connection/<path:object_id>/pause/": "Support",
    "connections/connection/<path:object_id>/rotate-secret/": "Administrator",
    "connections/connection/<path:object_id>/end-old-secrets/": "Administrator",
    "connections/connection/<path:object_id>/nudge-address/": "Administrator",
    "django_q/schedule/<path:object_id>/run-now/": "Administrator",
    "sync/sentorder/<path:object_id>/resend/": "Support",
    "sync/retryitem/<path:object_id>/retry/": "Support",
    "sync/retryitem/<path:object_id>/discard/": "Support",
    "sync/retryitem/<path:object_id>/resend/": "Support",
    "sync/seenorder/<path:object_id>/retry/": "Support",
    "sync/seenorder/<path:object_id>/resend/": "Support",
    "sync/seenorder/<path:object_id>/discard/": "Support",
    "sync/run/recover/": "Support",
    "sync/run/<int:number>/part/": "Viewer",
    "sync/seenorder/find/": "Viewer",
    "sync/question/<path:object_id>/answer-same/": "Support",
    "sync/question/<path:object_id>/answer-gone/": "Support",
    "sync/question/<path:object_id>/answer-send/": "Support",
    "sync/question/<path:object_id>/answer-leave/": "Support",
    "sync/question/<path:object_id>/answer-another/": "Administrator",
}
BY_POST_ONLY = {
    "sync/run/<int:number>/wish/",
    "sync/run/<int:number>/undo/",
    "connections/connection/try/",
    "connections/connection/<int:number>/try/",
}
# Outside the admin's models: what everybody who may log in gets, and what those get who did not log in.
OTHERS = {
    "/": (302, 302),
    "/healthz": (200, 200),
    "/readyz": (200, 200),
    "/metrics": (200, 200),
    "/nudge/(?P<token>[/]{1,100})/?": (405, 405),
    "/i18n/setlang/": (302, 302),
    "/admin/": (200, 302),
    "/admin/search/": (200, 302),
    "/admin/login/": (302, 200),
    "/admin/logout/": (405, 302),
    "/admin/password_change/": (200, 302),
    "/admin/password_change/done/": (200, 302),
    "/admin/autocomplete/": (403, 302),
    "/admin/jsi18n/": (200, 302),
    "/admin/(?P<app_label>core|django_q|auth|axes|sync|connections)/": (404, 302),
    "/admin/(?P<url>.*)": (404, 302),
}


def routes(patterns=None, before="/"):
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            yield from routes(pattern.url_patterns, before + str(pattern.pattern))
        else:
            yield (before + str(pattern.pattern)).replace("^", "").replace("$", "")


def model_of(route):
    found = re.match(r"/admin/(\w+/\w+)/(.*)", route)
    return (found[1], found[2]) if found and found[1] in MODELS else (None, "")


def address(route):
    """With the first row's key in it, where it wants one."""
    label, _ = model_of(route)
    row = MODELS[label].objects.first() if label else None
    for name in ("connection_id", "order_id"):
        route = route.replace(f"<int:{name}>", str(getattr(row, name, 1)))
    key = 1 if row is None else row.pk
    return re.sub(r"<[^>]+>|\(\?P<.*\)", str(key), route)


def first_to_get_in(route):
    label, rest = model_of(route)
    if rest in OBJECT_PAGES:
        return SEES.get(label) or SEES[label.partition("/")[0]]
    return (CHANGES | ACTS).get(f"{label}/{rest}", NOBODY_AT_ALL)


def sees(label, person):
    first = SEES.get(label) or SEES[label.partition("/")[0]]
    return PEOPLE.index(person) >= PEOPLE.index(first)


def expected(route, person):
    label, rest = model_of(route)
    if route in OTHERS:
        return OTHERS[route][0]
    if "<" in rest and not sees(label, person):
        return 403  # whatever it is
    if rest in ("<path:object_id>/", "of/<int:connection_id>/<int:order_id>/"):
        return 302  # to the page itself
    if f"{label}/{rest}" in BY_POST_ONLY:
        return 405
    first = first_to_get_in(route)
    allowed = first != NOBODY_AT_ALL and PEOPLE.index(person) >= PEOPLE.index(first)
    return 200 if allowed else 403


def signed_in(person, **more):
    user = User.objects.create_user(person, is_staff=True, is_superuser=person == "superuser")
    if group := Group.objects.filter(name=person).first():
        user.groups.add(group)
    client = Client(raise_request_exception=False, **more)
    client.force_login(user)
    return client


def state():
    """Every row of ours, and of whom may do what."""
    models = [m for m in apps.get_models() if m._meta.app_label not in ("sessions", "contenttypes", "axes")]
    rows = [serializers.serialize("json", model.objects.order_by("pk")) for model in models]
    return re.sub(r'"last_login": [^,]+', "", "".join(rows))


@pytest.mark.parametrize("person", PEOPLE)
def test_each_address_opens_for_whom_it_is_meant_and_looking_changes_nothing(fill, person):
    fill(2)
    client, before = signed_in(person), state()
    found = {route: client.get(address(route)).status_code for route in routes()}
    assert found == {route: expected(route, person) for route in found}
    assert state() == before


def test_who_did_not_log_in_sees_the_login(fill):
    fill(1)
    client = Client()
    for route in routes():
        wanted = OTHERS.get(route, (0, 302))[1]
        answer = client.get(address(route))
        assert answer.status_code == wanted, route
        if wanted == 302 and route not in ("/", "/i18n/setlang/"):
            assert answer["Location"].startswith("/admin/"), route


def test_who_is_no_staff_sees_the_login(fill):
    fill(1)
    client = Client()
    client.force_login(User.objects.create_user("customer"))
    opened = [r for r in routes() if r.startswith("/admin/") and client.get(address(r)).status_code == 200]
    assert opened == ["/admin/login/"]


def test_nothing_is_changed_without_a_token(fill):
    fill(2)
    client, before = signed_in("superuser", enforce_csrf_checks=True), state()
    free = {"/healthz", "/readyz", "/metrics", "/nudge/(?P<token>[/]{1,100})/?"}  # they have no session
    for route in set(routes()) - free:
        answer = client.post(address(route), {"post": "yes", "_action": "yes"})
        assert answer.status_code in (302, 403, 404, 405), route
        assert answer.status_code != 302 or answer["Location"].rstrip("/").endswith(
            ("/admin", "change", "1")
        ), route
    assert state() == before


@pytest.mark.parametrize("person", ["nobody", "Viewer"])
def test_who_may_only_look_cannot_act_by_posting_either(fill, person):
    fill(2)
    client, superuser = signed_in(person), signed_in("superuser")
    request = superuser.get("/admin/").wsgi_request
    before = state()
    for route in routes():
        if route not in OTHERS:
            client.post(address(route), {"post": "yes", "reason": "because"})
    for label, model in MODELS.items():
        for action in admin.site._registry[model].get_actions(request):
            keys = list(map(str, model.objects.values_list("pk", flat=True)))
            data = {"action": action, "_selected_action": keys, "post": "yes", "reason": "because"}
            client.post(f"/admin/{label}/", data)
    assert state() == before


def test_the_queues_own_pages_change_nothing_even_for_the_highest(fill):
    fill(1)
    client, before = signed_in("superuser"), state()
    for route in routes():
        label, rest = model_of(route)
        if label and label.startswith("django_q/") and "run-now" not in rest:
            client.post(address(route), {"post": "yes", "name": "mine", "func": "os.system", "_save": "1"})
    assert state() == before
