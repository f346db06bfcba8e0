"""A line to an Odoo on loopback, over the real transport."""

from connections.fields import Secret
from connections.odoo.line import Line
from connections.odoo.server import Target
from tests.conftest import NOON

KEY = "key-of-the-bot"


def line_to(url):
    target = Target(url.rstrip("/"), "shop", "bot", Secret(KEY), "auto", None)
    return Line(target, now=NOON, seconds=20)
