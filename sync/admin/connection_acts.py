"""What people may do with connections: test, poll now, reset circuits."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import ImproperlyConfigured
from django.db.models import Q
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext_lazy, ngettext

from connections.diagnosis import explain
from connections.models import Circuit, CircuitState, Connection, Side
from sync.admin.acts import Act, Report
from sync.admin.waking import wake
from sync.models import PollState
from sync.testing import Stage, run_test


def _test(request: HttpRequest, rows: list[Connection], values: dict[str, Any]) -> Report:
    for row in rows:
        stages, problem = _stages(row)
        failed = bool(problem) or any(stage.ok is False for stage in stages)
        doubtful = any(stage.ok is None for stage in stages)
        explained = [(stage, explain(stage.code) if stage.code else None) for stage in stages]
        context = {"connection": row, "stages": explained, "problem": problem}
        context |= {"failed": failed, "doubtful": doubtful}
        level = messages.ERROR if failed else messages.WARNING if doubtful else messages.SUCCESS
        messages.add_message(request, level, render_to_string("admin/desk/test.html", context))
    return Report(done=rows)


def _stages(row: Connection) -> tuple[list[Stage], str]:
    try:
        connection = Connection.objects.get(pk=row.pk)  # the row of a list comes without its secrets
        return list(run_test(connection, now=timezone.now())), ""
    except ImproperlyConfigured as error:
        return [], str(error)


def _poll(request: HttpRequest, rows: list[Connection], values: dict[str, Any]) -> Report:
    now = timezone.now()
    paused = Circuit.objects.paused(now).filter(connection__in=rows, side=Side.ODOO)
    resting = set(paused.values_list("connection_id", flat=True))
    able = [row for row in rows if row.enabled and row.pk not in resting]
    PollState.objects.create_missing(now)
    PollState.objects.filter(connection__in=able).wake(now)
    said = ngettext(
        "%s connection is polled within seconds.", "%s connections are polled within seconds.", len(able)
    )
    left = len(rows) - len(able)
    why = ngettext(
        "%s connection is disabled or paused, so it is not polled.",
        "%s connections are disabled or paused, so they are not polled.",
        left,
    )
    return Report(able, said % len(able) if able else "", [why % left] if left else [])


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
    limit=5,
)
POLL = Act(
    name="poll",
    title=gettext_lazy("Poll now"),
    icon="sync",
    permission="connections.poll_connection",
    run=_poll,
    question=gettext_lazy("Asks Odoo for new orders within seconds instead of waiting for the next poll."),
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
)
