"""The way in: how often one may try, behind a proxy too, and what cookies and headers a browser is given."""

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client, RequestFactory
from django.urls import reverse

from odoopoller.locked import client_ip

PASSWORD = "a long password"
LOGIN = "/admin/login/"


@pytest.fixture
def ana(db):
    return User.objects.create_superuser("ana", password=PASSWORD)


def attempt(password, *, ip="198.51.100.7", name="ana", language="en", **headers):
    client = Client(REMOTE_ADDR=ip, headers={"Accept-Language": language, **headers})
    return client.post(LOGIN, {"username": name, "password": password})


def fail(times, **more):
    return [attempt("wrong", **more).status_code for _ in range(times)]


@pytest.mark.parametrize(("language", "words"), [("en", "Too many attempts"), ("es", "Demasiados intentos")])
def test_ten_failures_lock_one_user_at_one_address_and_say_so(ana, language, words):
    assert fail(10) == [200] * 9 + [429]
    answer = attempt(PASSWORD, language=language)
    assert answer.status_code == 429
    assert words in answer.content.decode()
    assert "15" in answer.content.decode()
    assert attempt(PASSWORD, ip="203.0.113.5").status_code == 302
    assert attempt("wrong", name="berta").status_code == 200


def test_a_name_nobody_has_is_locked_just_so(ana):
    assert fail(10, name="nobody")[-1] == 429


def test_a_login_that_works_starts_the_count_anew(ana):
    fail(9)
    assert attempt(PASSWORD).status_code == 302
    assert fail(9) == [200] * 9


def test_a_command_unlocks(ana):
    fail(10)
    call_command("axes_reset_username", "ana")
    assert not AccessAttempt.objects.exists()
    assert attempt(PASSWORD).status_code == 302


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, "", "10.0.0.1"),
        (0, "203.0.113.5", "10.0.0.1"),
        (1, "203.0.113.5", "203.0.113.5"),
        (1, "1.1.1.1, 203.0.113.5", "203.0.113.5"),
        (2, "1.1.1.1, 203.0.113.5, 10.0.0.9", "203.0.113.5"),
        (2, "203.0.113.5", "10.0.0.1"),
        (1, " , ", "10.0.0.1"),
        (1, "x" * 500, "x" * 45),
    ],
)
def test_only_what_our_own_proxies_wrote_tells_the_client(settings, proxies, forwarded, expected):
    settings.PROXIES = proxies
    request = RequestFactory().post(LOGIN, REMOTE_ADDR="10.0.0.1", headers={"X-Forwarded-For": forwarded})
    assert client_ip(request) == expected


def test_behind_a_proxy_clients_are_told_apart_and_cannot_make_themselves_up(ana, settings):
    settings.PROXIES = 1
    for number in range(10):
        attempt("wrong", ip="10.0.0.1", **{"X-Forwarded-For": f"9.9.9.{number}, 198.51.100.7"})
    assert attempt(PASSWORD, ip="10.0.0.1", **{"X-Forwarded-For": "1.2.3.4, 198.51.100.7"}).status_code == 429
    assert attempt(PASSWORD, ip="10.0.0.1", **{"X-Forwarded-For": "203.0.113.5"}).status_code == 302


def test_cookies_are_for_this_site_and_not_for_scripts(ana, settings):
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    client = Client()
    client.get(LOGIN)
    client.post(LOGIN, {"username": "ana", "password": PASSWORD})
    client.post(reverse("set_language"), {"language": "es"})
    assert len(client.cookies) == 3
    for cookie in client.cookies.values():
        assert cookie["httponly"] and cookie["samesite"] == "Lax", cookie.key
    assert all(client.cookies[name]["secure"] for name in ("sessionid", "csrftoken"))


def test_every_answer_says_what_a_browser_may_do(admin_client):
    for page in (LOGIN, "/admin/", "/healthz", "/admin/nothing/here/"):
        headers = admin_client.get(page).headers
        assert headers["X-Frame-Options"] == "DENY", page
        assert headers["X-Content-Type-Options"] == "nosniff", page
        assert headers["Referrer-Policy"] == "same-origin", page
        assert headers["Cross-Origin-Opener-Policy"] == "same-origin", page
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy, page
        assert "'unsafe-inline'" not in policy.partition("script-src")[2].partition(";")[0], page


def test_a_session_ends_with_the_password_it_began_with(ana):
    client = Client()
    client.force_login(ana)
    ana.set_password("another long password")
    ana.save()
    assert client.get("/admin/").status_code == 302
