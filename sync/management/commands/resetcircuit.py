"""manage.py resetcircuit: a person's word that a side of a connection works again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from connections.models import Circuit, CircuitState, Connection, Side, resume
from core.console.arguments import add_connection, connection_called
from core.console.base import TeachingCommand
from sync.ledger import wake_deliveries
from sync.models import PollState


class Command(TeachingCommand):
    help = gettext_lazy(
        "Close the circuit of a connection by hand, once the cause is repaired: the next call goes out\n"
        "at once and decides whether it holds. Without this the poller tries again by itself every 2 minutes."
    )
    examples = (
        ("resetcircuit 1", gettext_lazy("both sides of connection 1")),
        ("resetcircuit 'Shop Madrid' --side webhook", gettext_lazy("only towards its receiver")),
        ("resetcircuit 1 --side webhook --resume", gettext_lazy("also end a pause, as after HTTP 410")),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        add_connection(parser)
        parser.add_argument("--side", choices=Side.values, help=_("only this side; without it: both"))
        parser.add_argument("--resume", action="store_true", help=_("end a pause too"))

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        connection = connection_called(options["connection"])
        sides = (options["side"],) if options["side"] else tuple(Side.values)
        if options["resume"]:
            resume([connection], sides=sides)
        for line in reset(connection, sides, now):
            self.stdout.write(line)


def reset(connection: Connection, sides: tuple[str, ...], now: datetime) -> list[str]:
    """Close the circuits and let work begin at once; a sentence per side says what was and what is."""
    circuits = {circuit.side: circuit for circuit in connection.circuits.filter(side__in=sides)}
    Circuit.objects.filter(connection=connection, side__in=sides).reset()
    if Side.ODOO in sides:
        PollState.objects.filter(connection=connection).wake(now)
    if Side.WEBHOOK in sides:
        wake_deliveries([connection.pk], now)
    return [_circuit_in_words(Side(side), circuits.get(side), now) for side in sides]


def _circuit_in_words(side: Side, before: Circuit | None, now: datetime) -> str:
    if before is not None and before.is_paused(now):
        return _("%(side)s: closed, but still paused by %(by)s (%(reason)s). To end the pause: --resume.") % {
            "side": side.label,
            "by": before.paused_by or _("the poller"),
            "reason": before.paused_reason or "-",
        }
    if before is None or before.state == CircuitState.CLOSED:
        return _("%s: was closed already. It is called at once.") % side.label
    return _("%(side)s: was %(state)s, is closed now. The next call goes out at once.") % {
        "side": side.label,
        "state": before.get_state_display().lower(),
    }
