"""The way in: how often one may try, behind a proxy too, and what cookies and headers a browser is given."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db.models import F, Sum
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone

from core.login.limits import PAUSED, seconds_to_wait
from core.login.lockout import client_ip

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
    assert " 15 min" in answer.content.decode()
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
        (1, "x" * 500, "10.0.0.1"),
        (1, "1.2.3.4:99", "1.2.3.4"),
        (1, "1.2.3.4:", "1.2.3.4"),
        (1, '"1.2.3.4:99"', "1.2.3.4"),
        (1, "[2001:db8::1]:443", "2001:db8::"),
        (1, "[2001:db8::1]", "2001:db8::"),
        (1, "2001:db8:0:7:1:2:3:4", "2001:db8:0:7::"),
        (1, "fe80::1%eth0", "fe80::"),
        (1, "::ffff:203.0.113.5", "203.0.113.5"),
        (1, "[::ffff:203.0.113.5]:80", "203.0.113.5"),
        (1, "unknown", "10.0.0.1"),
        (1, "_hidden", "10.0.0.1"),
        (1, "1.2.3.4:99:1", "10.0.0.1"),
        (1, "[1.2.3.4", "10.0.0.1"),
        (1, "[]", "10.0.0.1"),
        (1, "1.2.3.4\0", "10.0.0.1"),
        (1, "１.２.３.４", "10.0.0.1"),
        (1, "1.2.3.999", "10.0.0.1"),
        (1, "1" * 5000, "10.0.0.1"),
        (1, "203.0.113.5, unknown", "10.0.0.1"),
    ],
)
def test_only_what_our_own_proxies_wrote_tells_the_client(settings, proxies, forwarded, expected):
    settings.PROXIES = proxies
    request = RequestFactory().post(LOGIN, REMOTE_ADDR="10.0.0.1", headers={"X-Forwarded-For": forwarded})
    assert client_ip(request) == expected


@pytest.mark.parametrize(
    ("direct", "expected"),
    [("::ffff:10.0.0.1", "10.0.0.1"), ("2001:db8::5", "2001:db8::"), ("", "0.0.0.0"), ("garbage", "0.0.0.0")],
)
def test_who_connects_without_a_proxy_is_an_address_too(direct, expected):
    assert client_ip(RequestFactory().post(LOGIN, REMOTE_ADDR=direct)) == expected


@pytest.mark.parametrize(
    "forwarded", ["1.2.3.4:99", "[2001:db8::1]:443", "unknown", "x" * 500, "1.2.3.4\0", "fe80::1%eth0"]
)
def test_no_forwarded_address_breaks_a_login(ana, settings, forwarded):
    settings.PROXIES = 1
    headers = {"X-Forwarded-For": forwarded}
    assert attempt("wrong", **headers).status_code == 200
    assert AccessAttempt.objects.get().username == "ana"
    assert attempt(PASSWORD, **headers).status_code == 302


def test_who_has_no_address_is_counted_all_the_same(ana):
    assert fail(10, ip="") == [200] * 9 + [429]


# --- One network, one address, one user -----------------------------------------------------------------


def test_addresses_of_one_ipv6_network_are_one_client(ana):
    for number in range(1, 11):
        attempt("wrong", ip=f"2001:db8:0:7::{number:x}")
    assert attempt(PASSWORD, ip="2001:db8:0:7:ffff::1").status_code == 429
    assert attempt(PASSWORD, ip="2001:db8:0:8::1").status_code == 302


def test_one_address_may_fail_thirty_times_over_all_users(ana):
    statuses = [attempt("wrong", name=f"user{number}").status_code for number in range(30)]
    assert statuses == [200] * 29 + [429]
    answer = attempt(PASSWORD)
    assert (answer.status_code, answer["Retry-After"]) == (429, "900")
    assert "from your address" in answer.content.decode()
    assert attempt(PASSWORD, ip="203.0.113.5").status_code == 302
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=16))
    assert attempt(PASSWORD).status_code == 302


def test_where_clients_cannot_be_told_apart_one_does_not_lock_out_all(ana, settings):
    settings.BEHIND_HTTPS, settings.PROXIES = True, 0
    for number in range(40):
        attempt("wrong", name=f"user{number}")
    assert attempt(PASSWORD).status_code == 302


def test_a_lock_lasts_a_quarter_of_an_hour_however_often_one_tries(ana):
    fail(10)
    before = AccessAttempt.objects.get()
    assert attempt("wrong").status_code == 429
    after = AccessAttempt.objects.get()
    assert (after.attempt_time, after.failures_since_start) == (before.attempt_time, 10)


def fail_from_everywhere(addresses, name="ana"):
    return [attempt("wrong", ip=f"192.0.2.{number}", name=name).status_code for number in range(addresses)]


def earlier(seconds):
    """As if so much time had passed since every attempt."""
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(seconds=seconds))


@pytest.mark.parametrize("name", ["ana", "nobody"])
def test_many_failures_from_everywhere_slow_a_user_down_and_say_for_how_long(ana, name):
    assert fail_from_everywhere(20, name) == [200] * 20
    answer = attempt("wrong", name=name)
    assert (answer.status_code, answer["Retry-After"]) == (429, "20")
    assert "Try again in 20 seconds" in answer.content.decode()
    assert attempt(PASSWORD, name="berta").status_code == 200, "nobody else waits"


def test_nobody_can_lock_out_another_user_from_elsewhere(ana):
    fail_from_everywhere(20)
    assert attempt(PASSWORD).status_code == 429
    earlier(21)
    for number in range(100, 130):  # the others go on, each with its own pause
        attempt("wrong", ip=f"192.0.2.{number}")
    assert attempt(PASSWORD).status_code == 302


def test_each_attempt_while_slowed_down_is_waited_for(ana):
    fail_from_everywhere(20)
    attempt("wrong")
    earlier(10)
    assert attempt("wrong").status_code == 429
    earlier(11)
    assert attempt("wrong").status_code == 200, "asking too early made it no longer"
    assert attempt(PASSWORD).status_code == 429
    assert AccessAttempt.objects.filter(username="ana").aggregate(n=Sum("failures_since_start"))["n"] == 21


def test_a_turn_is_one_attempt_also_for_requests_at_once(ana):
    fail_from_everywhere(20)
    request, now = RequestFactory().post(LOGIN), timezone.now()
    request.axes_ip_address, request.axes_attempt_time = "198.51.100.7", now
    seconds_to_wait(request, "ana", now)
    AccessAttempt.objects.filter(user_agent=PAUSED).update(attempt_time=now)
    moments = [1, 15, 19.5, 20, 20, 20, 30, 40]
    waits = [seconds_to_wait(request, "ana", now + timedelta(seconds=s)) for s in moments]
    assert waits == [19, 5, 1, 0, 20, 20, 10, 0]


def test_the_pause_is_at_most_a_minute(ana):
    row = {"ip_address": "192.0.2.1", "user_agent": "", "failures_since_start": 5000}
    AccessAttempt.objects.create(username="ana", **row)
    assert attempt(PASSWORD)["Retry-After"] == "60"
    earlier(61)
    assert attempt(PASSWORD).status_code == 302


def test_one_address_alone_slows_nobody_down(ana):
    fail(30)
    assert attempt(PASSWORD, ip="203.0.113.5").status_code == 302


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
