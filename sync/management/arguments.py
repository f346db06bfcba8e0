"""Retry items that a command is about, by their ids."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.management.base import CommandError
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from core.console.bounds import BIGGEST, SHOWN
from sync.models import RetryItem


def items_called(ids: Sequence[int]) -> QuerySet[RetryItem]:
    """The retry items with these ids, all of them, or CommandError."""
    items = RetryItem.objects.filter(pk__in=[pk for pk in ids if abs(pk) < BIGGEST])
    missing = sorted(set(ids) - set(items.values_list("pk", flat=True)))
    if missing:
        ids_missing = ", ".join(str(pk)[:SHOWN] for pk in missing)
        raise CommandError(_("There is no retry item %s. See: manage.py retries") % ids_missing)
    return items
