"""manage.py retry: try owed orders again now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from connections.models import Connection
from core.console.arguments import add_connection_option, connection_called
from core.console.base import TeachingCommand
from sync import ledger
from sync.management.arguments import items_called
from sync.management.connection_status import held_back
from sync.models import RetryItem


class Command(TeachingCommand):
    help = gettext_lazy(
        "Try owed orders again now, whatever stopped them: waiting, failed or discarded.\n"
        "The poller (manage.py runpoller) sends them within seconds. See manage.py retries for the ids."
    )
    examples = (
        ("retry 3", gettext_lazy("retry item 3")),
        ("retry 3 4 5", gettext_lazy("several")),
        ("retry -c 1", gettext_lazy("everything open of connection 1, once its receiver is repaired")),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ids", metavar=_("ID"), type=int, nargs="*", help=_("retry items"))
        add_connection_option(parser, required=False, help=_("everything open of this one, instead of ids"))

    def handle(self, *args: Any, **options: Any) -> str:
        items = self._chosen(options["ids"], options["connection"])
        count = ledger.retry_now(items, now=timezone.now())
        left = [] if options["connection"] else _left(items)
        if left:
            raise CommandError("\n".join(left))
        for reason in _held_back(items):
            self.stderr.write(reason)
        return (
            ngettext(
                "%s order is tried again within seconds.", "%s orders are tried again within seconds.", count
            )
            % count
        )

    def _chosen(self, ids: list[int], connection: str | None) -> QuerySet[RetryItem]:
        if bool(ids) == bool(connection):
            raise CommandError(_("Name the items (manage.py retry 3) or a connection (-c 1): one of both."))
        if connection:
            return RetryItem.objects.open().filter(connection=connection_called(connection))
        return items_called(ids)


def _left(items: QuerySet[RetryItem]) -> list[str]:
    """Why some of the chosen are not waiting now."""
    left = RetryItem.objects.filter(pk__in=items.values("pk")).exclude(pk__in=RetryItem.objects.pending())
    return [_why_left(item) for item in left.defer("body").order_by("pk")]


def _held_back(items: QuerySet[RetryItem]) -> list[str]:
    connections = Connection.objects.without_secrets().filter(retry_items__in=items).distinct()
    return [f"{c}: {why}" for c in connections for why in held_back(c)]


def _why_left(item: RetryItem) -> str:
    return _(
        "Retry item %(id)s (%(order)s, version %(version)s) is %(status)s and cannot be tried again. "
        "To send the order as it is now: manage.py resend -c %(connection)s --order %(order)s"
    ) % {
        "id": item.pk,
        "order": item.order_name,
        "version": item.version,
        "status": item.get_status_display().lower(),
        "connection": item.connection_id,
    }
