"""A line to an Odoo on loopback, over the real transport."""

from connections.odoo.server_info import Target
from connections.odoo.session import Line
from connections.secrets.fields import Secret
from tests.conftest import NOON

KEY = "key-of-the-bot"


def line_to(url):
    target = Target(url.rstrip("/"), "shop", "bot", Secret(KEY), "auto", None)
    return Line(target, now=NOON, seconds=20)
