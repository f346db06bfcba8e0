"""What a connection may require of an answer: RFC 6901, values by their JSON type, and what is said then."""

import pytest

from connections.receiver.required_answer import CUT, DIFFERS, NOT_JSON, RequiredAnswer, is_pointer

# The document and the pointers of RFC 6901, section 5.
DOCUMENT = (
    '{"foo": ["bar", "baz"], "": 0, "a/b": 1, "c%d": 2, "e^f": 3, "g|h": 4, "i\\\\j": 5, "k\\"l": 6, '
    '" ": 7, "m~n": 8}'
)
POINTERS = [
    ("", DOCUMENT),
    ("/foo", '["bar", "baz"]'),
    ("/foo/0", '"bar"'),
    ("/", "0"),
    ("/a~1b", "1"),
    ("/c%d", "2"),
    ("/e^f", "3"),
    ("/g|h", "4"),
    ("/i\\j", "5"),
    ('/k"l', "6"),
    ("/ ", "7"),
    ("/m~0n", "8"),
]

# what is typed, the answer, is it said
VALUES = [
    ("true", '{"v": true}', True),
    ("true", '{"v": false}', False),
    ("true", '{"v": "true"}', False),
    ("true", '{"v": 1}', False),
    ("1", '{"v": true}', False),
    ("false", '{"v": 0}', False),
    ("0", '{"v": 0}', True),
    ("0", '{"v": 0.0}', True),
    ("0", '{"v": "0"}', False),
    ('"0"', '{"v": "0"}', True),
    ('"0"', '{"v": 0}', False),
    ("ok", '{"v": "ok"}', True),
    ('"ok"', '{"v": "ok"}', True),
    ("ok", '{"v": "OK"}', False),
    ("ok", '{"v": ["ok"]}', False),
    ("all right", '{"v": "all right"}', True),
    ("aceptación", '{"v": "aceptaci\\u00f3n"}', True),
    ('""', '{"v": ""}', True),
    ("null", '{"v": null}', True),
    ("null", '{"v": false}', False),
    ("null", "{}", False),
    ("[]", '{"v": []}', True),
    ("[0]", '{"v": [false]}', False),
    ('{"a": [1, true]}', '{"v": {"a": [1, true]}}', True),
    ('{"a": [1, true]}', '{"v": {"a": [1, 1]}}', False),
    ('{"a": 1}', '{"v": {"a": 1, "b": 2}}', False),
    ("1e999", '{"v": "1e999"}', True),
    ("NaN", '{"v": "NaN"}', True),
    ("[ok", '{"v": "[ok"}', True),
]

NOWHERE = [
    ("/foo/2", '{"foo": ["bar", "baz"]}'),
    ("/foo/-", '{"foo": ["bar", "baz"]}'),
    ("/foo/-1", '{"foo": ["bar", "baz"]}'),
    ("/foo/00", '{"foo": ["bar", "baz"]}'),
    ("/foo/١", '{"foo": ["bar", "baz"]}'),
    ("/foo/99999999999999999999", '{"foo": ["bar", "baz"]}'),
    ("/foo/0/1", '{"foo": ["bar", "baz"]}'),
    ("/foo", '"foo"'),
    ("/foo", "[]"),
    ("/foo", "null"),
    ("/Foo", '{"foo": true}'),
    ("/foo/", '{"foo": true}'),
]


def fault(pointer, typed, answer, cut=False):
    return RequiredAnswer.of(pointer, typed).fault(answer, cut=cut)


@pytest.mark.parametrize(("pointer", "value"), POINTERS)
def test_a_pointer_leads_where_its_standard_says(pointer, value):
    assert is_pointer(pointer) and fault(pointer, value, DOCUMENT) is None


@pytest.mark.parametrize(("typed", "answer", "said"), VALUES)
def test_a_value_is_compared_by_its_type(typed, answer, said):
    assert (fault("/v", typed, answer) is None) is said


@pytest.mark.parametrize(("pointer", "answer"), NOWHERE)
def test_what_is_not_there_is_no_value(pointer, answer):
    found = fault(pointer, "bar", answer)
    assert found.code == DIFFERS and found.detail == f'{pointer}: required is "bar", found is nothing'


@pytest.mark.parametrize("text", ["ok", "/a~", "/a~2b", "#/ok", "$.ok", "a/b", "~", " /ok"])
def test_what_is_no_pointer(text):
    assert not is_pointer(text)


def test_nothing_is_required_where_nothing_is_typed():
    assert RequiredAnswer.of("", "") is None
    assert fault("", "ok", '"ok"') is None, "an empty pointer is the whole answer"


@pytest.mark.parametrize(
    ("answer", "cut", "code"),
    [
        ("", False, NOT_JSON),
        ("OK", False, NOT_JSON),
        ("<html>", False, NOT_JSON),
        ('{"v": true', False, NOT_JSON),
        ('{"v": true', True, CUT),
        ('{"v": true} {}', False, NOT_JSON),
        ('{"v": NaN}', False, NOT_JSON),
        ("[" * 60_000, True, CUT),
        ('{"v": "\\ud800"}', False, NOT_JSON),
        ('\ufeff{"v": true}', False, None),
        ('\r\n {"v": true}\n', False, None),
    ],
)
def test_an_answer_has_to_be_json(answer, cut, code):
    found = fault("/v", "true", answer, cut)
    assert (found and found.code) == code


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ('{"v": "Ana Pérez is unknown"}', 'required is "ok", found is another value'),
        ('{"v": 600123456}', 'required is "ok", found is a number'),
        ('{"v": ["Ana"]}', "found is a list"),
        ('{"v": {"name": "Ana"}}', "found is an object"),
        ('{"v": false}', "found is false"),
        ('{"v": null}', "found is null"),
    ],
)
def test_the_detail_says_what_differs_and_nothing_that_is_personal(answer, words):
    detail = fault("/v", "ok", answer).detail
    assert words in detail and "Ana" not in detail and "600" not in detail
