"""Requests whose headers are made up: read as UTF-8, or not at all, before Django gets to decode them."""

import subprocess
import sys
from io import BytesIO

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory

from odoopoller.plain_request import PlainRequest
from tests.conftest import ROOT

FORM = b'--b\r\nContent-Disposition: form-data; name="q"\r\n\r\n\xc3\xb1\r\n--b--\r\n'
CODECS = ["hex", "base64", "zip", "rot13", "utf-16", "undefined", "idna", "punycode", "latin-1", "nonsense"]


def status(path, **environ):
    """Of the answer to a request as gunicorn hands it over."""
    path, _, query = path.partition("?")
    given = RequestFactory()._base_environ(PATH_INFO=path, QUERY_STRING=query, **environ)
    return WSGIHandler().get_response(PlainRequest(given)).status_code


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b"]
)
def test_no_codec_is_run_that_a_caller_names(db, codec, kind):
    header = {"CONTENT_TYPE": f"{kind}; charset={codec}"}
    assert status("/healthz?x=%E9", **header) == 200
    assert status("/admin/login/?x=%E9", **header) == 200
    assert status("/nudge/x/", REQUEST_METHOD="POST", **header) == 202
    assert status("/admin/login/", REQUEST_METHOD="POST", **header) == 403  # no token


@pytest.mark.parametrize(
    "kind", ["text/plain; x*=nonsense''%41", "text/plain; x*=hex''%41", "; ;=", "é", "a/b; c"]
)
def test_a_content_type_that_is_none_is_no_error(kind):
    assert status("/healthz", CONTENT_TYPE=kind) == 200


def test_a_form_is_utf_8():
    environ = RequestFactory()._base_environ(
        REQUEST_METHOD="POST",
        CONTENT_TYPE="multipart/form-data; boundary=b; charset=latin-1",
        CONTENT_LENGTH=str(len(FORM)),
    )
    assert PlainRequest(environ | {"wsgi.input": BytesIO(FORM)}).POST["q"] == "ñ"


@pytest.mark.parametrize(
    ("header", "cookies"),
    [
        ('sessionid="\\000\\000\\000\\000\\000\\000\\000\\000"; a=b', {"a": "b"}),
        ("a=b; c=d", {"a": "b", "c": "d"}),
        ("a=ñ".encode().decode("latin-1"), {"a": "ñ"}),
        ("\xff\xfe", {"": "��"}),
        ("", {}),
    ],
)
def test_a_cookie_with_a_nul_is_left_out(header, cookies):
    environ = RequestFactory()._base_environ(HTTP_COOKIE=header)
    assert cookies == PlainRequest(environ).COOKIES


def test_who_sends_a_session_with_nuls_sees_the_login(db):
    assert status("/admin/login/", HTTP_COOKIE='sessionid="' + "\\000" * 32 + '"') == 200


def test_the_web_server_reads_requests_so(environment):
    look = "import odoopoller.wsgi as web; print(web.application.request_class.__name__)"
    given = {"SECRET_KEY": "for-tests-only-" + "0123456789" * 5, "ENV_FILE": "/dev/null"}
    done = subprocess.run(
        [sys.executable, "-c", look], env=environment | given, cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout.strip() == "PlainRequest", done.stderr
