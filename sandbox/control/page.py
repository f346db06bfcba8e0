"""The sandbox's page for people: shops and their levers, hooks and theirs, and what came in."""

from collections.abc import Iterable, Mapping
from heapq import nlargest
from html import escape
from itertools import islice
from typing import TypeVar

from sandbox.odoo.daily_life import Life
from sandbox.odoo.faults import KINDS
from sandbox.receiver.receiver import Delivery, Hook, Receiver

T = TypeVar("T")
SHOWN_SHOPS = 20
SHOWN_DELIVERIES = 40
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 1.5rem auto; max-width: 76rem; padding: 0 1rem; color: #1c2733 }
h1 { font-size: 1.3rem } h2 { font-size: 1.05rem; margin: 1.6rem 0 .4rem }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #d8dee6 }
form { display: inline } button { font: inherit; padding: .05rem .5rem; margin: .1rem .1rem .1rem 0; cursor: pointer }
.bad { color: #a4161a; font-weight: 600 } .quiet { color: #5b6875 }
@media (prefers-color-scheme: dark) { body { background: #14181d; color: #dfe6ee } th, td { border-color: #313a45 } .bad { color: #ff8a8e } .quiet { color: #93a1b0 } }
"""  # noqa: E501
_SHOP_LEVERS = {
    "confirm 1": {"confirm": "1"},
    "confirm 10": {"confirm": "10"},
    "change": {"change": "1"},
    "touch": {"touch": "1"},
    "edit text": {"edit_text": "1"},
    "cancel": {"cancel": "1"},
    "late commit (20 s)": {"late": "20"},
}
_HOOK_LEVERS = {
    "ok": {"mode": "ok"},
    "500": {"mode": "500"},
    "500 × 3": {"mode": "500", "count": "3"},
    "429 (wait 30 s)": {"mode": "429", "retry_after": "30"},
    "422": {"mode": "422"},
    "410": {"mode": "410"},
    "hang": {"mode": "hang"},
    "drop": {"mode": "drop"},
    "redirect": {"mode": "redirect"},
}


def render_page(lives: Mapping[str, Life], receiver: Receiver) -> str:
    """The whole page; everything that came from outside is escaped."""
    deliveries = nlargest(
        SHOWN_DELIVERIES,
        ((delivery, hook) for hook in receiver.hooks.values() for delivery in hook.deliveries),
        key=lambda pair: pair[0].at,
    )
    return "".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sandbox</title>',
            '<meta http-equiv="refresh" content="4">',
            f"<style>{_STYLE}</style></head><body><h1>Sandbox</h1>",
            '<p class="quiet">Made-up shops and a receiver, in memory, on this machine only. ',
            "The page reloads itself every four seconds.</p>",
            "<h2>Shops</h2>",
            _table(
                ("Shop", "Odoo", "Orders", "Calls", "Trouble", ""), map(_shop_row, _first(lives.values()))
            ),
            "<h2>Receiver</h2>",
            _table(
                ("Hook", "Events", "Orders", "Duplicates", "Stale", "Bad signatures", "Answers", ""),
                map(_hook_row, _first(receiver.hooks.values())),
            ),
            _lever("forget everything that came, stop all trouble", {"reset": "1"}),
            "<h2>What came in, newest first</h2>",
            _table(
                (
                    "Time (UTC)",
                    "Hook",
                    "Order",
                    "Version",
                    "Event",
                    "Customer",
                    "Items",
                    "Signature",
                    "Answered",
                ),
                (_delivery_row(delivery, hook) for delivery, hook in deliveries),
            ),
            "</body></html>",
        ]
    )


def _first(things: Iterable[T]) -> Iterable[T]:
    return islice(things, SHOWN_SHOPS)


def _shop_row(life: Life) -> list[str]:
    shop = life.shop
    levers = "".join(_lever(text, {"shop": shop.database, **more}) for text, more in _SHOP_LEVERS.items())
    troubles = "".join(_lever(kind, {"shop": shop.database, "fault": kind}) for kind in KINDS)
    well = _lever("no trouble", {"shop": shop.database, "fault": ""})
    return [
        escape(shop.database),
        str(shop.version),
        str(len(shop.world.tables["sale.order"])),
        str(sum(shop.calls.values())),
        _bad(shop.faults.kind or "none", bool(shop.faults.kind)),
        f"{levers}<br>{well}{troubles}",
    ]


def _hook_row(hook: Hook) -> list[str]:
    stats = hook.stats()
    mode = hook.mode
    says = str(mode.status) if mode.kind == "status" else mode.kind
    left = "" if mode.remaining is None else f" ({mode.remaining} more)"
    return [
        escape(hook.name),
        *(str(stats[name]) for name in ("events", "orders")),
        *(_bad(str(stats[name]), stats[name] > 0) for name in ("duplicates", "stale", "signature_bad")),
        _bad(says + left, mode.kind != "ok"),
        "".join(_lever(text, {"hook": hook.name, **more}) for text, more in _HOOK_LEVERS.items()),
    ]


def _delivery_row(delivery: Delivery, hook: Hook) -> list[str]:
    body = delivery.body
    order, customer = _part(body, "order"), _part(body, "customer")
    items = body.get("items")
    flags = [word for word, is_so in (("duplicate", delivery.duplicate), ("stale", delivery.stale)) if is_so]
    return [
        delivery.at.strftime("%H:%M:%S"),
        escape(hook.name),
        escape(str(order.get("name") or delivery.order or "–")),
        escape(" ".join([str(delivery.version or "–"), *flags])),
        escape(delivery.event or "–"),
        escape(str(customer.get("name") or "–")),
        str(len(items)) if isinstance(items, list) else "–",
        _bad(delivery.signature, delivery.signature not in ("ok", "not checked")),
        _bad(str(delivery.status or "nothing"), not 200 <= delivery.status < 300),
    ]


def _part(body: dict[str, object], name: str) -> dict[str, object]:
    part = body.get(name)
    return part if isinstance(part, dict) else {}


def _bad(text: str, is_bad: bool) -> str:
    return f'<span class="bad">{escape(text)}</span>' if is_bad else escape(text)


def _lever(text: str, command: Mapping[str, str]) -> str:
    inputs = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">'
        for name, value in command.items()
    )
    return f'<form method="post" action="/control">{inputs}<button>{escape(text)}</button></form>'


def _table(heads: Iterable[str], rows: Iterable[list[str]]) -> str:
    """Cells are HTML already."""
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
