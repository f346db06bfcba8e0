"""What people may do with connections: test, poll now, reset circuits."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy, ngettext

from connections.models import Circuit, CircuitState, Connection, Side
from core.admin.actions import Act, Report
from core.admin.poller_notice import warn_without_poller
from sync.connection_test.on_request import ask_saved
from sync.deliveries.wake import wake
from sync.models import PollState


def _test(request: HttpRequest, rows: list[Connection], values: dict[str, Any]) -> Report:
    """Written down here, done by the poller, two at a time; the history of each says what came of it."""
    now, by = timezone.now(), request.user.get_username()
    asked = [row for row in rows if ask_saved(row.pk, by=by, now=now)]
    said = ngettext(
        "%s connection is tested in the background. “Test connection” on its page shows how far it is.",
        "%s connections are tested in the background. “Test connection” on the page of each shows how far it "
        "is.",
        len(asked),
    )
    joined = len(rows) - len(asked)
    why = ngettext(
        "%s connection is being tested already.", "%s connections are being tested already.", joined
    )
    if asked:
        warn_without_poller(request)
    return Report((), said % len(asked) if asked else "", [why % joined] if joined else [])


def _poll(request: HttpRequest, rows: list[Connection], values: dict[str, Any]) -> Report:
    now = timezone.now()
    paused = Circuit.objects.paused(now).filter(connection__in=rows, side=Side.ODOO)
    resting = set(paused.values_list("connection_id", flat=True))
    able = [row for row in rows if row.enabled and row.pk not in resting]
    states = PollState.objects.filter(connection__in=able)
    waiting = states.filter(next_poll_at__lte=now).count()
    PollState.objects.create_missing(now)
    states.wake(now)
    fresh = len(able) - waiting
    said = ngettext(
        "%s connection is polled within seconds.", "%s connections are polled within seconds.", fresh
    )
    joined = ngettext(
        "%s connection waits for its poll already.", "%s connections wait for their polls already.", waiting
    )
    left = len(rows) - len(able)
    why = ngettext(
        "%s connection is disabled or paused, so it is not polled.",
        "%s connections are disabled or paused, so they are not polled.",
        left,
    )
    sentences = [*([joined % waiting] if waiting else []), *([why % left] if left else [])]
    return Report(able, said % fresh if fresh else "", sentences)


def _reset(request: HttpRequest, rows: list[Connection], values: dict[str, Any]) -> Report:
    now = timezone.now()
    troubled = Circuit.objects.filter(connection__in=rows).filter(
        ~Q(state=CircuitState.CLOSED) | Q(failures__gt=0) | Q(wait_until__isnull=False)
    )
    ids = set(troubled.values_list("connection_id", flat=True))
    able = [row for row in rows if row.pk in ids]
    troubled.reset()
    wake(ids, now)
    said = ngettext(
        "The circuits of %s connection are closed; the next call shows whether it works.",
        "The circuits of %s connections are closed; the next calls show whether they work.",
        len(able),
    )
    left = len(rows) - len(able)
    why = ngettext("%s connection had nothing to reset.", "%s connections had nothing to reset.", left)
    return Report(able, said % len(able) if able else "", [why % left] if left else [])


def _is_troubled(circuit: Circuit) -> bool:
    return bool(circuit.state != CircuitState.CLOSED or circuit.failures or circuit.wait_until)


TEST = Act(
    name="test",
    title=gettext_lazy("Test connection"),
    icon="network_check",
    permission="connections.test_connection",
    run=_test,
    question=gettext_lazy(
        "Signs in to Odoo, looks whether orders can be read, and sends the receiver a test event that it "
        "cannot take for an order. Takes some seconds."
    ),
    limit=200,
)
POLL = Act(
    name="poll",
    title=gettext_lazy("Poll now"),
    icon="sync",
    permission="connections.poll_connection",
    run=_poll,
    question=gettext_lazy("Asks Odoo for new orders within seconds instead of waiting for the next poll."),
    by_poller=True,
)
RESET = Act(
    name="reset_circuit",
    title=gettext_lazy("Reset circuit"),
    icon="restart_alt",
    permission="connections.reset_circuit",
    run=_reset,
    question=gettext_lazy(
        "After five failures in a row a side rests for two minutes. "
        "Reset it when you know that it works again."
    ),
    offered=lambda row: any(_is_troubled(circuit) for circuit in row.circuits.all()),
    by_poller=True,
)
