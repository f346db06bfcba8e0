"""The text of an answer, for people to read: by its mark, by the charset it names, and never a failure."""

import codecs
import encodings
from encodings.aliases import aliases

import pytest

from connections.http.charset import text_of
from connections.receiver.delivery import Receiver, deliver
from tests.conftest import NOON
from tests.connections.http.loopback_server import answering

SAID = "Código «ñandú» no existe: 5 €"
RUSSIAN = "Заказ не найден"
JAPANESE = "注文が見つかりません"

READ = [
    (SAID.encode(), "", SAID),
    (SAID.encode(), "application/json", SAID),
    (SAID.encode(), "text/plain; charset=UTF-8", SAID),
    (SAID.encode("iso-8859-15"), "text/plain; charset=iso-8859-15", SAID),
    (SAID.encode("cp1252"), 'text/html;charset="windows-1252"', SAID),
    (SAID.encode("cp1252"), "text/html; Charset = 'CP1252'; boundary=x", SAID),
    ("año".encode("latin-1"), "text/plain; charset=latin1", "año"),
    ("año".encode("latin-1"), "text/plain; charset=ISO-8859-1", "año"),
    (RUSSIAN.encode("koi8-r"), "text/plain; charset=KOI8-R", RUSSIAN),
    (RUSSIAN.encode("cp1251"), "text/plain; charset=windows-1251", RUSSIAN),
    (JAPANESE.encode("shift_jis"), "text/html; charset=Shift_JIS", JAPANESE),
    (JAPANESE.encode("gb18030"), "text/html; charset=GB18030", JAPANESE),
    # Marks count more than what is named.
    (codecs.BOM_UTF8 + SAID.encode(), "text/plain", SAID),
    (codecs.BOM_UTF8 + SAID.encode(), "text/plain; charset=iso-8859-1", SAID),
    (SAID.encode("utf-16"), "application/json", SAID),
    (codecs.BOM_UTF16_BE + SAID.encode("utf-16-be"), "", SAID),
    (codecs.BOM_UTF16_LE + SAID.encode("utf-16-le"), "text/plain; charset=utf-16", SAID),
    (SAID.encode("utf-32"), "text/plain; charset=utf-8", SAID),
    (SAID.encode("utf-16-le"), "text/plain; charset=UTF-16LE", SAID),
    (SAID.encode("utf-16-be"), "text/plain; charset=utf-16be", SAID),
    # Pages and XML that name their own.
    (b"<html><meta charset='iso-8859-1'>a\xf1o", "text/html", "<html><meta charset='iso-8859-1'>año"),
    (
        b'<?xml version="1.0" encoding="ISO-8859-1"?>a\xf1o',
        "text/xml",
        '<?xml version="1.0" encoding="ISO-8859-1"?>año',
    ),
    ("<meta charset=utf-16>año".encode(), "text/html", "<meta charset=utf-16>año"),
    ("<meta charset=latin1>año".encode(), "text/html; charset=utf-8", "<meta charset=latin1>año"),
    ("<meta charset=klingon>año".encode(), "text/html; charset=elvish", "<meta charset=klingon>año"),
    # Nothing that we know: as UTF-8, and what does not fit is marked.
    (SAID.encode(), "text/plain; charset=klingon", SAID),
    (SAID.encode(), "text/plain; charset=", SAID),
    (SAID.encode(), "charset", SAID),
    (b"a\xf1o", "text/plain; charset=klingon", "a\ufffdo"),
    (b"a\xf1o", "text/plain", "a\ufffdo"),
    (b"a\xf1o", "text/plain; charset=us-ascii", "a\ufffdo"),
    ("año".encode()[:2], "", "a\ufffd"),
    (b"a\0b", "", "a\ufffdb"),
    (b"a\0b", "text/plain; charset=latin-1", "a\ufffdb"),
    (b"+2AA-", "text/plain; charset=utf-7", "\ufffd"),
    (b"aGk=", "text/plain; charset=base64", "aGk="),
    (b"\\ud800", "text/plain; charset=unicode_escape", "\\ud800"),
    (b"x", "text/plain; charset=../../etc/passwd", "x"),
    (b"", "text/plain; charset=utf-16", ""),
    (b"a", "text/plain; charset=utf-16", "\ufffd"),
]


@pytest.mark.parametrize(("body", "content_type", "text"), READ)
def test_a_text_is_what_its_sender_meant(body, content_type, text):
    assert text_of(body, content_type) == text


@pytest.mark.parametrize(
    "name", sorted({*aliases.values(), "idna", "punycode", "undefined", "mbcs", "utf_8_sig"})
)
def test_no_charset_breaks_us_or_makes_what_cannot_be_stored(name):
    for body in (bytes(range(256)) * 8, b"a" * 5000, "ñ€".encode() * 900, b"+2AA-\0"):
        text = text_of(body, f"text/plain; charset={name}")
        assert text.encode() and "\0" not in text


def test_an_unknown_charset_is_not_remembered():
    before = len(encodings._cache)
    for number in range(50):
        text_of(b"x", f"text/plain; charset=unknown-{number}")
    assert len(encodings._cache) == before


@pytest.mark.parametrize(
    ("charset", "secret"),
    [("utf-16", "key-7"), ("utf-16-le", "key-7"), ("cp1252", "clé-7"), ("utf-8", "clé-7")],
)
def test_an_answer_is_shown_in_its_charset_and_without_our_secret(serve, charset, secret):
    body = (f"{secret} «{SAID}» " * 9).encode(charset)
    head = b"HTTP/1.1 422 No\r\nContent-Type: text/plain; charset=%s\r\nContent-Length: %d\r\n\r\n"
    server = serve(answering(head % (charset.encode(), len(body)) + body))

    outcome = deliver(Receiver(server.url, "1", secret, False), b"{}", event_id="evt_1", now=NOON)

    assert outcome.answer == f"******** «{SAID}» " * 9


def test_a_secret_behind_wide_letters_is_masked_before_the_text_is_cut(serve):
    body = ("ñ" * 3990 + "key-7" * 9).encode()
    server = serve(answering(b"HTTP/1.1 422 No\r\nContent-Length: %d\r\n\r\n" % len(body) + body))

    outcome = deliver(Receiver(server.url, "1", "key-7" * 9, True), b"{}", event_id="evt_1", now=NOON)

    assert outcome.answer == "ñ" * 3990 + "********"
