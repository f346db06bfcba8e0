"""What an answer of Odoo means, told by status and by the name of an error, never by its words."""

import codecs
import re
from datetime import datetime
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import orjson

from connections.errors import Access, Contract, RemoteError, Temporary
from connections.http.charset import text_of
from connections.http.client import Answer

# A whole read of 200 long orders has a tenth of it. What is small on its way may be large in memory.
MOST_VALUES = 3_000_000
MESSAGE_CHARACTERS = 1000
RATE_LIMITED = "odoo_rate_limited"
WEB_PAGE = "odoo_web_page"
# What firewalls, checks for browsers and maintenance pages answer with; any other status keeps its meaning,
# unless one of these headers says that a check for browsers stands in our way (Cloudflare, AWS WAF).
PAGE_STATUSES = frozenset({403, 406})
CHALLENGE_HEADERS = ("cf-mitigated", "x-amzn-waf-action")
TITLE_CHARACTERS = 80
PAGE_BYTES = 4096  # in which a title is looked for
_TITLE = re.compile(r"<title[^>]{0,200}>([^<]{1,400})", re.IGNORECASE)

# Everything that is not named here is Temporary: what nobody knows is worth another try.
_NAMES: dict[str, tuple[type[RemoteError], str]] = {
    "odoo.exceptions.AccessDenied": (Access, "odoo_access_denied"),
    "odoo.exceptions.AccessError": (Access, "odoo_no_rights"),
    "odoo.exceptions.MissingError": (Temporary, "odoo_record_gone"),
    "odoo.exceptions.UserError": (Contract, "odoo_refused_call"),
    "odoo.exceptions.ValidationError": (Contract, "odoo_refused_call"),
    "odoo.exceptions.RedirectWarning": (Contract, "odoo_refused_call"),
    "odoo.http.SessionExpiredException": (Access, "odoo_access_denied"),
    "werkzeug.exceptions.Unauthorized": (Access, "odoo_access_denied"),
    "werkzeug.exceptions.Forbidden": (Access, "odoo_forbidden"),
    "werkzeug.exceptions.NotFound": (Contract, "odoo_unknown_method"),
    "werkzeug.exceptions.BadRequest": (Contract, "odoo_bad_call"),
    "werkzeug.exceptions.UnprocessableEntity": (Contract, "odoo_bad_call"),
    "builtins.AttributeError": (Contract, "odoo_unknown_method"),
    "builtins.ValueError": (Contract, "odoo_unknown_field"),
    "builtins.TypeError": (Contract, "odoo_bad_call"),
    "builtins.IndexError": (Contract, "odoo_bad_call"),
    "psycopg2.errors.InvalidDatetimeFormat": (Contract, "odoo_bad_call"),
    "psycopg2.errors.DatetimeFieldOverflow": (Contract, "odoo_bad_call"),
    # A database that does not exist and a PostgreSQL that is down look alike: `probe.database_error`.
    "psycopg2.OperationalError": (Temporary, "odoo_database_down"),
    "psycopg2.InterfaceError": (Temporary, "odoo_database_down"),
    "psycopg.OperationalError": (Temporary, "odoo_database_down"),
    "psycopg.InterfaceError": (Temporary, "odoo_database_down"),
}


def rpc_result(answer: Answer, now: datetime) -> Any:
    """The `result` of a JSON-RPC answer. Raises RemoteError."""
    if answer.status != 200:
        raise status_error(answer, now)
    data = parsed(answer)
    if not isinstance(data, dict):
        raise broken("not a JSON-RPC answer")
    if data.get("error") is not None:
        raise _rpc_error(data["error"])
    if "result" not in data:
        raise broken("neither result nor error")
    return data["result"]


def json2_result(answer: Answer, now: datetime) -> Any:
    """The body of a JSON-2 answer. Raises RemoteError."""
    if answer.status == 200:
        return parsed(answer)
    try:
        data = orjson.loads(_json(answer))
    except orjson.JSONDecodeError:
        data = None
    if isinstance(data, dict) and isinstance(data.get("name"), str) and answer.status != 429:
        raise named_error(data["name"], data.get("message"), answer.status)
    if answer.status == 404:
        # The same page for a database that is unknown, not chosen, or without its PostgreSQL.
        raise Temporary("odoo_database_down", "no database at this address", status=404)
    raise status_error(answer, now)


def page_result(answer: Answer, now: datetime) -> Any:
    """The data of a plain page. Raises RemoteError."""
    if answer.status != 200:
        raise status_error(answer, now)
    return parsed(answer)


def parsed(answer: Answer) -> Any:
    """The JSON of an answer. Raises Contract."""
    body = _json(answer)
    if body.count(b",") + body.count(b"[") + body.count(b"{") > MOST_VALUES:
        raise Contract("odoo_too_large", f"more than {MOST_VALUES} values")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    if is_page(answer):
        raise Contract("odoo_not_odoo", _page("a web page instead of data", answer), status=answer.status)
    raise broken("no JSON that can be read")


def _json(answer: Answer) -> bytes:
    """The body without the mark that some proxies put before it: RFC 8259, section 8.1, lets us ignore it."""
    return answer.body.removeprefix(codecs.BOM_UTF8)


def is_page(answer: Answer) -> bool:
    """Whether a browser would show it as a page, which nothing of Odoo's API is."""
    return _json(answer).lstrip()[:1] == b"<" or "html" in answer.headers.get("Content-Type", "").lower()


def _is_passing_page(answer: Answer) -> bool:
    """Whether something in front of Odoo shows a page in its place, which may go as it came."""
    is_challenge = any(name in answer.headers for name in CHALLENGE_HEADERS)
    return is_page(answer) and (is_challenge or answer.status in PAGE_STATUSES)


def _page(what: str, answer: Answer) -> str:
    """With the title of the page, which mostly says who answered in Odoo's place, and why."""
    found = _TITLE.search(text_of(answer.body[:PAGE_BYTES], answer.headers.get("Content-Type", "")))
    title = " ".join(unescape(found[1]).split())[:TITLE_CHARACTERS] if found else ""
    return f"{what}: {title}" if title else what


def broken(what: str) -> Contract:
    return Contract("odoo_broken_answer", what)


def named_error(name: str, message: Any = "", status: int | None = None) -> RemoteError:
    kind, code = _NAMES.get(name, (Temporary, "odoo_server_error"))
    if code == "odoo_server_error" and status is not None and status < 500:
        kind, code = Contract, "odoo_bad_call"
    return kind(code, _short(name, message), status=status)


def _rpc_error(error: Any) -> RemoteError:
    data = error.get("data") if isinstance(error, dict) else None
    if not isinstance(data, dict) or not isinstance(data.get("name"), str):
        return broken("an error without a name")
    return named_error(data["name"], data.get("message"))


def _short(name: str, message: Any) -> str:
    """The error's name and the first line of its message; `debug`, a traceback, is never looked at."""
    text = message[:MESSAGE_CHARACTERS].strip() if isinstance(message, str) else ""
    told = f"{name[-MESSAGE_CHARACTERS:].rpartition('.')[2]}: {text.partition(chr(10))[0]}"
    return "".join(letter for letter in told if letter.isprintable())


def status_error(answer: Answer, now: datetime) -> RemoteError:
    """What a status means that Odoo's own error did not explain: mostly something in front of Odoo spoke."""
    status = answer.status
    told = _page(f"HTTP {status}, a web page", answer) if is_page(answer) else f"HTTP {status}"
    if 300 <= status < 400:
        return Contract(
            "odoo_redirect", f"to {_target_of_redirect(answer.headers.get('Location', ''))}", status=status
        )
    if status == 429:
        return Temporary(RATE_LIMITED, told, status=status, retry_at=answer.retry_at(now))
    if status in (502, 503, 504):
        return Temporary("odoo_unavailable", told, status=status, retry_at=answer.retry_at(now))
    if status < 500 and _is_passing_page(answer):
        return Temporary(WEB_PAGE, told, status=status, retry_at=answer.retry_at(now))
    if status >= 500 or status in (408, 425) or status < 300:
        return Temporary("odoo_server_error", told, status=status)
    kind, code = _STATUSES.get(status, (Contract, "odoo_bad_call"))
    return kind(code, told, status=status)


_STATUSES: dict[int, tuple[type[RemoteError], str]] = {
    401: (Access, "odoo_forbidden"),
    402: (Access, "odoo_forbidden"),
    403: (Access, "odoo_forbidden"),
    404: (Contract, "odoo_not_odoo"),
    405: (Contract, "odoo_not_odoo"),
    407: (Access, "odoo_forbidden"),
    410: (Contract, "odoo_not_odoo"),
}


def _target_of_redirect(location: str) -> str:
    try:
        parts = urlsplit(location)
        return f"{parts.scheme}://{parts.hostname}" if parts.hostname else "another page"
    except ValueError:
        return "another page"


# --- Shapes ---------------------------------------------------------------------------------------------


def records(result: Any) -> list[dict[str, Any]]:
    """A list of records, with {} for each thing that is none: the others are good all the same.

    What is in a record, its id as well, is for the caller to look at. Raises Contract.
    """
    if not isinstance(result, list):
        raise broken("no list of records")
    return [record if isinstance(record, dict) else {} for record in result]


def whole_number(result: Any) -> int:
    if type(result) is not int:
        raise broken("not a whole number")
    return result


def mapping(result: Any) -> dict[str, Any]:
    if not isinstance(result, dict):
        raise broken("not an object")
    return result
