"""The HTML an Odoo server, or the proxy before it, answers instead of JSON."""

from collections.abc import Callable

from sandbox.http.answer import DROPPED, Answer, html_answer
from sandbox.odoo.faults import Faults

_STATUS = {
    400: "Bad Request",
    404: "Not Found",
    415: "Unsupported Media Type",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    504: "Gateway Time-out",
}

NO_DATABASE = html_answer(
    "<!DOCTYPE html>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n"
    "<p>No database is selected and the requested URL was not found in the server-wide controllers.</p>\n"
    "<p>Please verify the hostname, <a href=/web/login>login</a> and try again.</p>\n\n"
    "<!-- Alternatively, use the X-Odoo-Database header. -->\n",
    404,
)
NOT_FOUND = Answer(
    404,
    b'<!DOCTYPE html>\n<html>\n    <head>\n        <meta charset="utf-8"/>\n        <title>Odoo</title>\n'
    b"    </head>\n    <body><h1>Error 404</h1><p>We couldn't find the page you're looking for!</p></body>\n"
    b"</html>\n",
    {"Content-Type": "text/html;charset=utf-8", "X-Content-Type-Options": "nosniff"},
)


def page(status: int, text: str) -> Answer:
    name = _STATUS[status]
    return html_answer(
        f"<!doctype html>\n<html lang=en>\n<title>{status} {name}</title>\n<h1>{name}</h1>\n<p>{text}</p>\n",
        status,
    )


def wrong_content_type(version: int, path: str, route_type: str) -> Answer:
    """What the route says to a request that is not JSON: 400 before 19, 415 since."""
    if version < 19:
        quote = "&#39;" if version >= 18 else "&#x27;"
        text = f"Request inferred type is compatible with ['http'] but '{path}' is type='json'."
        return page(400, text.replace("'", quote))
    answer = page(
        415,
        f"Request inferred type is compatible with [&#39;http&#39;] but &#39;{path}&#39; is "
        f"type=&#39;{route_type}&#39;.<br><br>Please verify the Content-Type request header and try again.",
    )
    accept = "application/json" if route_type == "json2" else "application/json, application/json-rpc"
    return Answer(415, answer.body, {**answer.headers, "Accept": accept})


def _proxy(status: int) -> Answer:
    name = _STATUS[status]
    return html_answer(
        f"<html>\r\n<head><title>{status} {name}</title></head>\r\n<body>\r\n<center><h1>{status} {name}</h1>"
        "</center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n",
        status,
    )


def _rate_limited(faults: Faults) -> Answer:
    plain = _proxy(429)
    headers = {**plain.headers, "Retry-After": faults.retry_after} if faults.retry_after else plain.headers
    return Answer(429, plain.body, headers)


def _hanging(faults: Faults) -> Answer:
    plain = _proxy(504)
    return Answer(504, plain.body, plain.headers, delay_seconds=faults.hang_seconds)


_TROUBLES: dict[str, Callable[[Faults], Answer]] = {
    "down": lambda faults: DROPPED,
    "hang": _hanging,
    "rate_limit": _rate_limited,
    "error_500": lambda faults: page(500, "The server encountered an internal error."),
    "bad_gateway": lambda faults: _proxy(502),
    "html": lambda faults: html_answer("<!DOCTYPE html>\n<html><title>Login | Odoo</title></html>\n", 200),
    "garbage": lambda faults: Answer(
        200, b'{"jsonrpc": "2.0", "id": 1, "resu', {"Content-Type": "application/json; charset=utf-8"}
    ),
}


def trouble(kind: str, faults: Faults) -> Answer | None:
    """What is answered instead of the call; None when the call itself goes on."""
    make = _TROUBLES.get(kind)
    return make(faults) if make else None
