"""What people may do with orders: send again, retry now, discard."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial, reduce
from operator import or_
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from connections.leases import new_token
from core.admin.actions import Act, ReasonForm, Report
from core.admin.base import link, page
from sync import ledger
from sync.admin.recovery.begin import begin_run
from sync.ledger.commands import RETRIABLE
from sync.models import RetryItem, RunKind, SeenOrder, Status
from sync.models.ledger import OPEN
from sync.repair.recovery import MOST_ROWS


def _resend(request: HttpRequest, rows: list[Any], values: dict[str, Any]) -> Report:
    """However few, they become a run: Odoo is asked in the background. `rows` are of any table of orders."""
    chosen = type(rows[0]).objects.filter(pk__in=[row.pk for row in rows]).order_by("pk")
    orders, token = {(row.connection_id, row.order_id) for row in rows}, new_token()
    run = begin_run(request, chosen, kind=RunKind.RESEND, token=token)
    if run.token != token:
        return Report()
    said = ngettext(
        "%s order is read from Odoo and sent again in the background.",
        "%s orders are read from Odoo and sent again in the background.",
        run.total,
    )
    left = len(orders) - run.total
    why = ngettext("%s order is being sent again already.", "%s orders are being sent again already.", left)
    shown = format_html("{} {}", said % run.total, link(page(run), _("How far it is")))
    return Report(rows, shown, [why % left] if left else [])


def _retry(request: HttpRequest, rows: list[RetryItem], values: dict[str, Any]) -> Report:
    now = timezone.now()
    chosen = RetryItem.objects.filter(pk__in=[row.pk for row in rows])
    with transaction.atomic():  # until it ends nobody can send them, so what we see is what we did
        ledger.retry_now(chosen, now=now)
        waiting = set(chosen.filter(status=Status.PENDING, next_retry_at=now).values_list("pk", flat=True))
    done = [row for row in rows if row.pk in waiting]
    said = ngettext(
        "%s order is tried again within seconds.", "%s orders are tried again within seconds.", len(done)
    )
    left = len(rows) - len(done)
    why = ngettext(
        "%s was left alone: it was sent or replaced by a newer version, or there is no payload of it (it has "
        "aged out, or Odoo could not give the order). "
        "“Send again” reads the order afresh.",
        "%s were left alone: they were sent or replaced by newer versions, or there are no payloads of them "
        "(they have aged out, or Odoo could not give the orders). "
        "“Send again” reads the orders afresh.",
        left,
    )
    changed = _became(done, Status.PENDING)
    return Report(done, said % len(done) if done else "", [why % left] if left else [], changed)


def _discard(request: HttpRequest, rows: list[RetryItem], values: dict[str, Any]) -> Report:
    now = timezone.now()
    chosen = RetryItem.objects.filter(pk__in=[row.pk for row in rows])
    with transaction.atomic():
        ledger.discard(chosen, by=request.user.get_username(), reason=values["reason"], now=now)
        gone = set(chosen.filter(status=Status.DISCARDED, closed_at=now).values_list("pk", flat=True))
    done = [row for row in rows if row.pk in gone]
    said = ngettext(
        "%s order is given up. “Retry now” takes it back.",
        "%s orders are given up. “Retry now” takes it back.",
        len(done),
    )
    left = len(rows) - len(done)
    why = ngettext("%s was closed already.", "%s were closed already.", left)
    changed = _became(done, Status.DISCARDED)
    return Report(done, said % len(done) if done else "", [why % left] if left else [], changed)


def _became(rows: Iterable[RetryItem], after: Status) -> dict[int, str]:
    """Before and after of each, for its history; the rows are as they were read before the act."""
    return {row.pk: f"{Status(row.status).label} → {after.label}" for row in rows}


def _of_orders(
    run: Callable[..., Report],
) -> Callable[[HttpRequest, list[SeenOrder], dict[str, Any]], Report]:
    """The same act, told for orders: it concerns the newest version of each."""

    def on_orders(request: HttpRequest, rows: list[SeenOrder], values: dict[str, Any]) -> Report:
        return run(request, list(_newest_items(rows)), values)

    return on_orders


def _newest_items(rows: Iterable[SeenOrder]) -> QuerySet[RetryItem]:
    wanted = [Q(connection=row.connection_id, order_id=row.order_id, version=row.version) for row in rows]
    return RetryItem.objects.filter(reduce(or_, wanted)).defer("body")


def _items_of(orders: QuerySet[SeenOrder]) -> QuerySet[RetryItem]:
    mine = orders.order_by().filter(
        connection=OuterRef("connection"), order_id=OuterRef("order_id"), version=OuterRef("version")
    )
    return RetryItem.objects.filter(Exists(mine)).defer("body")


def _has_item(*statuses: str) -> Callable[[SeenOrder], bool]:
    return lambda row: _newest_items([row]).filter(status__in=statuses).exists()


RESEND = Act(
    name="resend",
    title=gettext_lazy("Send again"),
    icon="replay",
    permission="sync.resend_order",
    run=_resend,
    question=gettext_lazy(
        "Reads the order from Odoo as it is now and sends it as a new version, marked as sent again. "
        "The receiver may handle it a second time."
    ),
    confirm_many=True,
    limit=200,
    begin=partial(begin_run, kind=RunKind.RESEND),
    most=MOST_ROWS,
)
RETRY = Act(
    name="retry",
    title=gettext_lazy("Retry now"),
    icon="redo",
    permission="sync.retry_item",
    run=_retry,
    question=gettext_lazy("Sends it within seconds, the same event with the same bytes as before."),
    offered=lambda row: row.status in RETRIABLE,
    begin=partial(begin_run, kind=RunKind.RETRY),
    most=MOST_ROWS,
    by_poller=True,
)
DISCARD = Act(
    name="discard",
    title=gettext_lazy("Discard"),
    icon="delete_sweep",
    permission="sync.discard_item",
    run=_discard,
    question=gettext_lazy("Gives this version up: it is not sent any more. “Retry now” can take that back."),
    form=ReasonForm,
    confirm_many=True,
    offered=lambda row: row.status in OPEN,
    begin=partial(begin_run, kind=RunKind.DISCARD),
    most=MOST_ROWS,
)
RETRY_ORDER = replace(
    RETRY, run=_of_orders(_retry), offered=_has_item(*RETRIABLE), rows_of=_items_of, limit=500
)
DISCARD_ORDER = replace(
    DISCARD, run=_of_orders(_discard), offered=_has_item(*OPEN), rows_of=_items_of, limit=500
)
