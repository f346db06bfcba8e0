"""The stand-in against real servers: the same requests, the same answers."""

from functools import cache

import pytest

from sandbox.odoo.server import Odoo
from tests.sandbox.odoo.recorded import body_of, recorded_shop, recordings, replay

VERSIONS = (16, 17, 18, 19)
PLAIN = ("common", "error", "execute_kw", "json2", "json2-error")
# Where the sandbox has fewer fields or another order than a full server: the shape is compared.
SHAPE_ONLY = ("fields-empty", "uom", "16-execute_kw-29-fields-get")

CASES = [
    pytest.param(version, recording, id=f"{version}-{name}")
    for version in VERSIONS
    for name, recording in recordings(version, *PLAIN)
]


@cache
def server(version):
    return Odoo(recorded_shop(version))


def essence(value):
    """An answer without what differs from run to run: tracebacks, and all but the first line of a message."""
    if isinstance(value, list):
        return [essence(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {key: essence(first_line(key, each)) for key, each in value.items() if key != "debug"}


def first_line(key, value):
    if key == "arguments":
        return [each.split("\n")[0] if isinstance(each, str) else each for each in value]
    return value.split("\n")[0] if key == "message" else value


def shape(value):
    """Keys and types; of a list the shapes that occur in it."""
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def assert_same(recording, answer, *, only_shape=False):
    recorded = recording["response"]
    assert answer.status == recorded["status"]
    assert media_type(answer.headers) == media_type(recorded["headers"])
    if "json" not in recorded:
        return
    theirs, ours = essence(recorded["json"]), essence(body_of(answer))
    if only_shape:
        assert_shape(shape(theirs), shape(ours))
    else:
        assert ours == theirs


def assert_shape(theirs, ours):
    """Every key the sandbox has is one of the server's, with the same type."""
    if isinstance(ours, dict):
        for key, value in ours.items():
            if key != "is_storable":
                assert_shape(theirs[key], value)
    elif isinstance(ours, list) and ours and theirs:
        assert_shape(theirs[0], ours[0])
    else:
        assert ours == theirs


def media_type(headers):
    return headers["Content-Type"].partition(";")[0]


@pytest.mark.parametrize(("version", "recording"), CASES)
def test_answers_as_the_real_server_did(version, recording, request):
    only_shape = any(part in request.node.callspec.id for part in SHAPE_ONLY)
    assert_same(recording, replay(server(version), recording), only_shape=only_shape)


@pytest.mark.parametrize("version", VERSIONS)
def test_debug_is_a_traceback_of_its_own_key(version):
    for _, recording in recordings(version, "error"):
        theirs = recording["response"]["json"]
        if "error" in theirs:
            ours = body_of(replay(server(version), recording))
            assert ours["error"].keys() == theirs["error"].keys()
            assert ours["error"]["data"].keys() == theirs["error"]["data"].keys()


@pytest.mark.parametrize("version", VERSIONS)
def test_headers_of_an_answer(version):
    [(_, recording)] = [each for each in recordings(version, "common") if "01-version" in each[0]]
    ours = replay(server(version), recording).headers
    theirs = recording["response"]["headers"]
    assert (ours["Server"], ours["Content-Type"]) == (theirs["Server"], theirs["Content-Type"])
    assert ours["Date"] == "Fri, 20 Nov 2026 14:00:00 GMT"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_removed_key(version):
    shop = recorded_shop(version)
    shop.users.caches_credentials = version != 17  # 17's call met a worker that had not cached it
    odoo = Odoo(shop)
    for name, recording in recordings(version, "revoked"):
        if "01-before" not in name:
            shop.users.revoke("API_KEY_REVOKED")
        if "cache-clear" in name:
            shop.users.forget_credentials()
        assert_same(recording, replay(odoo, recording))


@pytest.mark.parametrize("version", VERSIONS)
def test_a_deactivated_user(version):
    shop = recorded_shop(version)
    gone = next(user for user in shop.users.by_id.values() if user.login == "gone@example.com")
    odoo = Odoo(shop)
    for name, recording in recordings(version, "deactivated"):
        gone.active = "before" in name or "reactivated" in name
        assert_same(recording, replay(odoo, recording))


@pytest.mark.parametrize("version", VERSIONS)
def test_two_factor_authentication(version):
    shop = recorded_shop(version)
    gone = next(user for user in shop.users.by_id.values() if user.login == "gone@example.com")
    gone.two_factor = True
    for name, recording in recordings(version, "totp"):
        # The count had grown by other tests of that day.
        assert_same(recording, replay(Odoo(shop), recording), only_shape="04-execute-kw-apikey" in name)


@pytest.mark.parametrize("version", VERSIONS)
def test_several_databases(version):
    odoo = Odoo(recorded_shop(version), bare_databases=[f"odoo{version}_second"])
    for _, recording in recordings(version, "multidb"):
        assert_same(recording, replay(odoo, recording))


def test_postgresql_down_and_back():
    shop = recorded_shop(19)
    odoo = Odoo(shop)
    for name, recording in recordings(19, "pgdown"):
        shop.faults.set("" if "after" in name else "pg_down")
        assert_same(recording, replay(odoo, recording))


def test_listing_disabled():
    odoo = Odoo(recorded_shop(19), list_databases=False)
    for name, recording in recordings(19, "nolist"):
        assert_same(recording, replay(odoo, recording), only_shape="05-json2" in name)
