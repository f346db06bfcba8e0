"""Every recorded mistake of real servers, and every broken answer, has its code and says: retry or stop."""

import json
import re
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from requests.structures import CaseInsensitiveDict

from connections.errors import Access, Contract, Permanent, RemoteError, Temporary
from connections.http.client import Answer
from connections.odoo import responses
from tests.conftest import ROOT

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SOON = NOW + timedelta(seconds=7)
RECORDINGS = ROOT / "tests" / "recordings"
ACCESS_DENIED = (Access, "odoo_access_denied")
NO_RIGHTS = (Access, "odoo_no_rights")
UNKNOWN_FIELD = (Contract, "odoo_unknown_field")
UNKNOWN_METHOD = (Contract, "odoo_unknown_method")
BAD_CALL = (Contract, "odoo_bad_call")
REFUSED_CALL = (Contract, "odoo_refused_call")
DATABASE_DOWN = (Temporary, "odoo_database_down")
SERVER_ERROR = (Temporary, "odoo_server_error")

# By the recording's name without its number; 0 stands for the versions that are not named.
EXPECTED = {
    "common-authenticate-empty-password": SERVER_ERROR,
    "common-authenticate-missing-arg": BAD_CALL,
    "common-authenticate-wrong-db": DATABASE_DOWN,
    "common-batch-array": BAD_CALL,
    "common-get-jsonrpc": BAD_CALL,
    "common-malformed-json": BAD_CALL,
    "common-not-found": (Contract, "odoo_not_odoo"),
    "common-unknown-common-method": SERVER_ERROR,
    "common-unknown-service": SERVER_ERROR,
    "common-wrong-content-type": BAD_CALL,
    "deactivated-execute-kw": ACCESS_DENIED,
    "deactivated-execute-kw-password": ACCESS_DENIED,
    "deactivated-json2": ACCESS_DENIED,
    "error-access-error-user": NO_RIGHTS,
    "error-bad-args": {19: UNKNOWN_FIELD, 0: BAD_CALL},
    "error-bad-domain": {19: UNKNOWN_FIELD, 0: BAD_CALL},
    "error-bad-kwarg": BAD_CALL,
    "error-bad-order": REFUSED_CALL,
    "error-expired-key": ACCESS_DENIED,
    "error-other-scope-key": ACCESS_DENIED,
    "error-own-only-read-foreign": NO_RIGHTS,
    "error-private-method": NO_RIGHTS,
    "error-uid-false": ACCESS_DENIED,
    "error-uid-mismatch": ACCESS_DENIED,
    "error-uid-unknown": (Temporary, "odoo_record_gone"),
    "error-unknown-field": UNKNOWN_FIELD,
    "error-unknown-field-domain": UNKNOWN_FIELD,
    "error-unknown-field-order": UNKNOWN_FIELD,
    "error-unknown-method": UNKNOWN_METHOD,
    "error-unknown-model": REFUSED_CALL,
    "error-user-error": REFUSED_CALL,
    "error-write-forbidden-field": NO_RIGHTS,
    "error-wrong-db": DATABASE_DOWN,
    "error-wrong-key": ACCESS_DENIED,
    "execute_kw-partners-mobile": UNKNOWN_FIELD,
    "execute_kw-partners-mobile-search-read": UNKNOWN_FIELD,
    "execute_kw-web-search-read-specification": BAD_CALL,
    "execute_kw-web-search-read-unknown-field": UNKNOWN_FIELD,
    "execute_kw-web-search-read-unknown-nested-field": UNKNOWN_FIELD,
    "execute_kw-write-date-garbage": {19: UNKNOWN_FIELD, 0: BAD_CALL},
    "execute_kw-write-date-integer": {19: UNKNOWN_FIELD, 0: BAD_CALL},
    "execute_kw-write-date-iso-z": UNKNOWN_FIELD,
    "json2-error-array-body": BAD_CALL,
    "json2-error-bad-date": UNKNOWN_FIELD,
    "json2-error-basic-auth": ACCESS_DENIED,
    "json2-error-expired-key": ACCESS_DENIED,
    "json2-error-get": UNKNOWN_METHOD,
    "json2-error-ids-on-model-method": BAD_CALL,
    "json2-error-json1": BAD_CALL,
    "json2-error-malformed-json": BAD_CALL,
    "json2-error-missing-argument": BAD_CALL,
    "json2-error-no-key": ACCESS_DENIED,
    "json2-error-no-rights": NO_RIGHTS,
    "json2-error-other-scope-key": ACCESS_DENIED,
    "json2-error-partner-mobile": UNKNOWN_FIELD,
    "json2-error-password-as-bearer": ACCESS_DENIED,
    "json2-error-path-short": UNKNOWN_METHOD,
    "json2-error-positional": BAD_CALL,
    "json2-error-private-method": NO_RIGHTS,
    "json2-error-record-rule": NO_RIGHTS,
    "json2-error-text-plain": BAD_CALL,
    "json2-error-unknown-argument": BAD_CALL,
    "json2-error-unknown-domain-field": UNKNOWN_FIELD,
    "json2-error-unknown-field": UNKNOWN_FIELD,
    "json2-error-unknown-method": UNKNOWN_METHOD,
    "json2-error-unknown-model": UNKNOWN_METHOD,
    "json2-error-unknown-nested-field": UNKNOWN_FIELD,
    "json2-error-user-error": REFUSED_CALL,
    "json2-error-wrong-db": DATABASE_DOWN,
    "json2-error-wrong-key": ACCESS_DENIED,
    "json2-no-content-type": BAD_CALL,
    "multidb-authenticate-uninitialised-db": SERVER_ERROR,
    "multidb-json2-no-header": DATABASE_DOWN,
    "nolist-authenticate-wrong-db": DATABASE_DOWN,
    "nolist-db-list": ACCESS_DENIED,
    "nolist-json2-db-not-in-filter": DATABASE_DOWN,
    "pgdown-authenticate": DATABASE_DOWN,
    "pgdown-execute-kw": DATABASE_DOWN,
    "pgdown-json2": DATABASE_DOWN,
    "revoked-execute-kw": ACCESS_DENIED,
    "revoked-execute-kw-after-cache-clear": ACCESS_DENIED,
    "revoked-json2": ACCESS_DENIED,
    "totp-execute-kw-password": ACCESS_DENIED,
}


def answer(status, body, **headers):
    return Answer(status, CaseInsensitiveDict(headers), body, 0.1)


def recorded(path):
    """(request path, answer) of a recording."""
    recording = json.loads(path.read_text())
    response = recording["response"]
    body = orjson.dumps(response["json"]) if "json" in response else response["text"].encode()
    return recording["request"]["path"], answer(response["status"], body, **response["headers"])


def judge(path, given):
    if path.startswith("/json/2/"):
        return responses.json2_result(given, NOW)
    plain = path in ("/web/version", "/json/version")
    return (responses.page_result if plain else responses.rpc_result)(given, NOW)


def exchanges(*, mistakes):
    """The recordings in which the server told of a mistake, or the others."""
    for path in sorted(RECORDINGS.glob("v*/*-[0-9]*.json")):
        response = json.loads(path.read_text())["response"]
        body = response.get("json")
        told = response["status"] != 200 or (isinstance(body, dict) and "error" in body)
        if told == mistakes:
            yield pytest.param(path, id=f"{path.parent.name}-{path.stem}")


@pytest.mark.parametrize("path", list(exchanges(mistakes=True)))
def test_every_recorded_mistake_has_its_code_and_class(path):
    version, name = int(path.parent.name[1:]), re.sub(r"-\d+-", "-", path.stem, count=1)
    expected = EXPECTED[name]
    with pytest.raises(RemoteError) as caught:
        judge(*recorded(path))

    error = caught.value
    assert (type(error), error.code) == (
        expected.get(version, expected[0]) if isinstance(expected, dict) else expected
    )
    assert "Traceback" not in error.detail
    assert "\n" not in error.detail


@pytest.mark.parametrize("path", list(exchanges(mistakes=False)))
def test_every_other_recorded_answer_is_a_result(path):
    request_path, given = recorded(path)
    truth = orjson.loads(given.body)
    wrapped = isinstance(truth, dict) and "jsonrpc" in truth

    assert judge(request_path, given) == (truth["result"] if wrapped else truth)


@pytest.mark.parametrize("judge_", [responses.rpc_result, responses.json2_result])
@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (301, {"Location": "https://user:secret@other.example/x?key=1"}, (Contract, "odoo_redirect")),
        (302, {}, (Contract, "odoo_redirect")),
        (308, {"Location": "https://[bad"}, (Contract, "odoo_redirect")),
        (401, {}, (Access, "odoo_forbidden")),
        (402, {}, (Access, "odoo_forbidden")),
        (403, {}, (Temporary, "odoo_web_page")),
        (405, {}, (Contract, "odoo_not_odoo")),
        (408, {}, SERVER_ERROR),
        (413, {}, BAD_CALL),
        (429, {}, (Temporary, "odoo_rate_limited")),
        (500, {}, SERVER_ERROR),
        (502, {}, (Temporary, "odoo_unavailable")),
        (503, {}, (Temporary, "odoo_unavailable")),
        (504, {}, (Temporary, "odoo_unavailable")),
        (204, {}, SERVER_ERROR),
        (599, {}, SERVER_ERROR),
    ],
)
def test_a_status_from_something_in_front_of_odoo(judge_, status, headers, expected):
    with pytest.raises(RemoteError) as caught:
        judge_(answer(status, b"<html>Sorry</html>", **headers), NOW)

    assert (type(caught.value), caught.value.code, caught.value.status) == (*expected, status)
    assert "secret" not in str(caught.value)


JUST_A_MOMENT = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>x</body></html>"
HTML = {"Content-Type": "text/html; charset=UTF-8"}
PAGES = {
    "a check for browsers": (403, JUST_A_MOMENT, HTML),
    "without a type": (403, JUST_A_MOMENT, {}),
    "with a mark": (403, b"\xef\xbb\xbf" + JUST_A_MOMENT, {}),
    "after blanks": (403, b"\r\n\t " + JUST_A_MOMENT, {}),
    "by its type alone": (403, b"Closed for maintenance", {"Content-Type": "Text/HTML"}),
    "XHTML": (403, b"<?xml version='1.0'?><html/>", {"Content-Type": "application/xhtml+xml"}),
    "with nothing in it": (403, b"", HTML),
    "a firewall": (406, b"<html><title>Not Acceptable!</title>", HTML),
    "a puzzle": (405, b"<html><title>Human Verification</title>", {**HTML, "x-amzn-waf-action": "captcha"}),
    "a check in the background": (202, b"<html>", {**HTML, "X-Amzn-Waf-Action": "challenge"}),
    "another check": (401, b"<html>", {**HTML, "CF-Mitigated": "challenge"}),
}


@pytest.mark.parametrize("judge_", [responses.rpc_result, responses.json2_result, responses.page_result])
@pytest.mark.parametrize(
    ("status", "body", "headers"), [pytest.param(*p, id=name) for name, p in PAGES.items()]
)
def test_a_page_in_front_of_odoo_is_no_fault_for_a_person(judge_, status, body, headers):
    with pytest.raises(Temporary) as caught:
        judge_(answer(status, body, **headers, **{"Retry-After": "90"}), NOW)

    error = caught.value
    assert (error.code, error.status, error.retry_at) == (
        "odoo_web_page",
        status,
        NOW + timedelta(seconds=90),
    )
    assert error.detail.startswith(f"HTTP {status}, a web page")


FAULTS = {
    "JSON-2 refuses the key": (
        401,
        b'{"name": "werkzeug.exceptions.Unauthorized", "message": "Invalid apikey"}',
        (Access, "odoo_access_denied"),
    ),
    "JSON-2 refuses the model": (
        403,
        b'{"name": "odoo.exceptions.AccessError", "message": "no"}',
        (Access, "odoo_no_rights"),
    ),
    "JSON-2 refuses with a mark before it": (
        403,
        b'\xef\xbb\xbf{"name": "odoo.exceptions.AccessError", "message": "no"}',
        (Access, "odoo_no_rights"),
    ),
    "another user's session": (
        403,
        b'{"name": "werkzeug.exceptions.Forbidden", "message": "Session user does not match"}',
        (Access, "odoo_forbidden"),
    ),
    "a filter that writes no page": (403, b"error code: 1020", (Access, "odoo_forbidden")),
    "a filter that writes JSON": (403, b'{"message": "Forbidden"}', (Access, "odoo_forbidden")),
    "a password page": (401, b"<html><title>401</title>", (Access, "odoo_forbidden")),
}


@pytest.mark.parametrize(
    ("status", "body", "expected"), [pytest.param(*f, id=name) for name, f in FAULTS.items()]
)
def test_what_odoo_or_a_filter_refuses_stays_a_fault_of_access(status, body, expected):
    with pytest.raises(RemoteError) as caught:
        responses.json2_result(answer(status, body), NOW)

    assert (type(caught.value), caught.value.code) == expected


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (JUST_A_MOMENT, "HTTP 403, a web page: Just a moment..."),
        ("<title lang=ru>Закрыто</title>".encode("cp1251"), "HTTP 403, a web page: Закрыто"),
        (b"<TITLE>\n  Caf&eacute;&#10; &amp; bar </TITLE>", "HTTP 403, a web page: Caf\u00e9 & bar"),
        (b"<title>" + b"x" * 500, "HTTP 403, a web page: " + "x" * 80),
        (b"<title>\x1b[2J\xe2\x80\xae\x00bell\x07</title>", "HTTP 403, a web page:  [2J \ufffdbell "),
        (b"<title></title>", "HTTP 403, a web page"),
        (b"<html>" + b" " * 5000 + b"<title>far</title>", "HTTP 403, a web page"),
        (b"<title " * 50_000, "HTTP 403, a web page"),
    ],
)
def test_the_title_of_a_page_tells_who_answered(body, detail):
    kind = {"Content-Type": "text/html; charset=windows-1251"} if b"ru" in body else HTML
    with pytest.raises(Temporary) as caught:
        responses.rpc_result(answer(403, body, **kind), NOW)

    assert caught.value.detail.isprintable()
    assert caught.value.detail == detail


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_maintenance_page_says_so_beside_odoo_being_down(status):
    error = responses.status_error(answer(status, b"<html><title>Back soon</title>"), NOW)

    assert (error.code, error.detail) == ("odoo_unavailable", f"HTTP {status}, a web page: Back soon")


@pytest.mark.parametrize(
    ("judge_", "status", "retry_at"),
    [
        (responses.rpc_result, 429, SOON),
        (responses.json2_result, 429, SOON),
        (responses.rpc_result, 503, SOON),
        (responses.json2_result, 503, None),  # an answer of Odoo's own code, not of a server before it
    ],
)
def test_when_a_server_wants_to_be_asked_again(judge_, status, retry_at):
    with pytest.raises(Temporary) as caught:
        judge_(
            answer(status, b'{"name": "werkzeug.exceptions.TooManyRequests"}', **{"Retry-After": "7"}), NOW
        )

    assert caught.value.retry_at == retry_at


def test_a_mark_before_json_is_no_part_of_it():
    assert responses.rpc_result(answer(200, b'\xef\xbb\xbf{"result": [7]}'), NOW) == [7]
    assert responses.json2_result(answer(200, b"\xef\xbb\xbf[7]"), NOW) == [7]
    assert responses.page_result(answer(200, b'\xef\xbb\xbf{"version": "19.0"}'), NOW) == {"version": "19.0"}


GARBAGE = [
    (b"\xef\xbb\xbf", "odoo_broken_answer"),
    (b"\xef\xbb\xbf\xef\xbb\xbf[]", "odoo_broken_answer"),
    (b"\xef\xbb\xbf<html>", "odoo_not_odoo"),
    (b"", "odoo_broken_answer"),
    (b"null", "odoo_broken_answer"),
    (b"[]", "odoo_broken_answer"),
    (b'"text"', "odoo_broken_answer"),
    (b"{", "odoo_broken_answer"),
    (b'{"result": NaN}', "odoo_broken_answer"),
    (b'{"result": Infinity}', "odoo_broken_answer"),
    (b'{"result": 1e999}', "odoo_broken_answer"),
    (b'{"result": "\xff"}', "odoo_broken_answer"),
    (b'{"result": "\\ud800"}', "odoo_broken_answer"),
    (b'{"result": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "odoo_broken_answer"),
    (b"{}", "odoo_broken_answer"),
    (b'{"jsonrpc": "2.0", "id": 1}', "odoo_broken_answer"),
    (b'{"error": true}', "odoo_broken_answer"),
    (b'{"error": "no"}', "odoo_broken_answer"),
    (b'{"error": {"data": null}}', "odoo_broken_answer"),
    (b'{"error": {"data": {"name": 5}}}', "odoo_broken_answer"),
    (b"<!DOCTYPE html><title>Login</title>", "odoo_not_odoo"),
    (b"  \n<html>", "odoo_not_odoo"),
    (b"\x1f\x8b\x08", "odoo_broken_answer"),
]


@pytest.mark.parametrize(("body", "code"), GARBAGE)
def test_an_answer_that_makes_no_sense(body, code):
    with pytest.raises(Contract) as caught:
        responses.rpc_result(answer(200, body), NOW)

    assert caught.value.code == code


def test_a_page_is_known_by_its_type_as_well():
    with pytest.raises(Contract) as caught:
        responses.rpc_result(answer(200, b"Please log in", **{"Content-Type": "text/html"}), NOW)

    assert caught.value.code == "odoo_not_odoo"


@pytest.mark.parametrize(
    ("name", "message", "expected", "detail"),
    [
        ("psycopg.OperationalError", "x", DATABASE_DOWN, "OperationalError: x"),
        ("psycopg2.errors.SerializationFailure", "x", SERVER_ERROR, "SerializationFailure: x"),
        ("builtins.ZeroDivisionError", None, SERVER_ERROR, "ZeroDivisionError: "),
        ("some.module.Strange", {"a": 1}, SERVER_ERROR, "Strange: "),
        ("", "", SERVER_ERROR, ": "),
        ("odoo.exceptions.UserError", "first\nsecond", REFUSED_CALL, "UserError: first"),
        ("odoo.exceptions.UserError", "bell\x07\u202e", REFUSED_CALL, "UserError: bell"),
    ],
)
def test_an_error_is_told_by_its_name_and_shown_by_its_first_line(name, message, expected, detail):
    error = responses.named_error(name, message)

    assert (type(error), error.code, error.detail) == (*expected, detail)


def test_a_refusal_of_json2_that_nobody_knows_is_not_tried_for_ever():
    body = b'{"name": "werkzeug.exceptions.ImATeapot", "message": "short and stout"}'

    with pytest.raises(Permanent) as caught:
        responses.json2_result(answer(418, body), NOW)

    assert caught.value.code == "odoo_bad_call"


@pytest.mark.parametrize("result", [None, False, {}, "x", 7])
def test_records_are_a_list(result):
    with pytest.raises(Contract) as caught:
        responses.records(result)

    assert caught.value.code == "odoo_broken_answer"


def test_what_is_no_record_does_not_hide_the_others():
    good = {"id": 1, "name": "S00001"}
    assert responses.records([good, "x", 7, None, [good], {"id": "1"}]) == [good, {}, {}, {}, {}, {"id": "1"}]


def test_what_would_not_fit_into_memory_is_not_unpacked():
    with pytest.raises(Contract) as caught:
        responses.parsed(answer(200, b"[" + b"[],[]," * 2_000_000 + b"[]]"))

    assert caught.value.code == "odoo_too_large"


@pytest.mark.parametrize("result", [None, True, 1.0, "1", [1]])
def test_a_count_is_a_whole_number(result):
    with pytest.raises(Contract) as caught:
        responses.whole_number(result)

    assert caught.value.code == "odoo_broken_answer"
