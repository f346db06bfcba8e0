"""manage.py discard: give up on owed orders, with a reason."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from core.console.base import TeachingCommand
from core.console.prompts import operator
from sync import ledger
from sync.management.arguments import items_called
from sync.models import RetryItem


class Command(TeachingCommand):
    help = gettext_lazy(
        "Give up on owed orders: they are not sent, and the ledger keeps who said so and why.\n"
        "manage.py retry takes it back."
    )
    examples = (
        ('discard 3 --reason "typed in by hand"', gettext_lazy("retry item 3")),
        ('discard 3 4 5 --reason "test orders"', gettext_lazy("several")),
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ids", metavar=_("ID"), type=int, nargs="+", help=_("retry items"))
        parser.add_argument("--reason", required=True, help=_("why, for whoever asks later"))

    def handle(self, *args: Any, **options: Any) -> str:
        reason = options["reason"].strip()
        if not reason:
            raise CommandError(_('Give a reason: --reason "typed in by hand"'))
        items = items_called(options["ids"])
        closed = list(items.exclude(pk__in=RetryItem.objects.open()).order_by("pk").defer("body"))
        if closed:
            raise CommandError("\n".join(map(_why_not, closed)))
        count = ledger.discard(items, by=operator(), reason=reason[:300], now=timezone.now())
        return ngettext("%s order discarded.", "%s orders discarded.", count) % count


def _why_not(item: RetryItem) -> str:
    return _("Retry item %(id)s (%(order)s) is %(status)s: there is nothing to discard.") % {
        "id": item.pk,
        "order": item.order_name,
        "status": item.get_status_display().lower(),
    }
