"""Orders as they flow, a line each, read from what the poller records."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from connections.causes import explain
from connections.plain_text import escaped
from sync.models import DeliveryAttempt, SyncLog

AT_ONCE = 10  # lines of one look; a first run may deliver hundreds within a second

Line = tuple[datetime, str, str]  # when, which connection, what


class Flow:
    """Remembers what it has shown."""

    def __init__(self) -> None:
        self.log_id = _newest(SyncLog)
        self.attempt_id = _newest(DeliveryAttempt)

    def lines(self) -> list[str]:
        """What has happened since the last call, oldest first."""
        happened = sorted([*self._polls(), *self._deliveries()], key=lambda line: line[0])
        lines = (f"{timezone.localtime(at):%H:%M:%S}  {name:<28.28}  {text}" for at, name, text in happened)
        return [escaped(line) for line in lines]

    def _polls(self) -> list[Line]:
        new = SyncLog.objects.filter(pk__gt=self.log_id).select_related("connection").order_by("pk")
        logs = list(new.defer("connection__api_key", "connection__webhook_secret"))
        self.log_id = logs[-1].pk if logs else self.log_id
        return [(log.finished_at, log.connection.name, _outcome(log)) for log in logs if _is_new(log)]

    def _deliveries(self) -> list[Line]:
        new = DeliveryAttempt.objects.filter(pk__gt=self.attempt_id).select_related("connection", "item")
        names = ("order_name", "version", "delivered", "error_code", "started_at", "duration_ms")
        tries = list(new.order_by("pk").only(*names, "connection__name", "item__event"))
        self.attempt_id = tries[-1].pk if tries else self.attempt_id
        shown = [(each.started_at, each.connection.name, _answer(each)) for each in tries[:AT_ONCE]]
        rest = len(tries) - len(shown)
        if rest > 0:
            more = ngettext("and %(count)s more order", "and %(count)s more orders", rest) % {"count": rest}
            shown.append((max(each.started_at for each in tries), "...", more))
        return shown


def _newest(model: type[SyncLog] | type[DeliveryAttempt]) -> int:
    return model.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def _is_new(log: SyncLog) -> bool:
    return bool(log.error_code or log.orders_sent or log.orders_failed)


def _outcome(log: SyncLog) -> str:
    if log.error_code:
        return _("poll failed: %s") % str(explain(log.error_code).title)
    counts = {"found": log.orders_found, "sent": log.orders_sent, "failed": log.orders_failed}
    return _("polled: %(found)s found, %(sent)s sent, %(failed)s failed") % counts


def _answer(attempt: DeliveryAttempt) -> str:
    event = attempt.item.event if attempt.item else ""
    order = f"{attempt.order_name} v{attempt.version} {event}"
    if attempt.delivered:
        return _("%(order)s delivered in %(ms)s ms") % {"order": order, "ms": attempt.duration_ms}
    why = {"order": order, "why": explain(attempt.error_code).title}
    return _("%(order)s not delivered: %(why)s") % why
