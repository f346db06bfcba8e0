"""manage.py checkpoller: whether due work gets done, for health checks and monitoring."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from connections.secrets.keyring import require_readable_secrets
from core.console.base import TeachingCommand
from sync.models import DeliveryAttempt, PollState, SyncLog

LATE_SECONDS = 120


class Command(TeachingCommand):
    help = gettext_lazy(
        "Say whether the poller works: exit code 1 when something has been due for two minutes\n"
        "and in all that time nothing was polled or delivered. Much work is not a failure, standing still is."
    )
    examples = (("checkpoller", gettext_lazy("the health check of the container")),)

    def handle(self, *args: Any, **options: Any) -> None:
        require_readable_secrets()
        late = timezone.now() - timedelta(seconds=LATE_SECONDS)
        waiting = PollState.objects.poll_due(late).count() + PollState.objects.delivery_due(late).count()
        moved = (
            SyncLog.objects.filter(finished_at__gte=late).exists()
            or DeliveryAttempt.objects.filter(started_at__gte=late).exists()
        )
        if waiting and not moved:
            text = ngettext(
                "%(count)s connection has been waiting for more than two minutes and nothing is done. "
                "Is runpoller running? What does its log say?",
                "%(count)s connections have been waiting for more than two minutes and nothing is done. "
                "Is runpoller running? What does its log say?",
                waiting,
            )
            raise CommandError(text % {"count": waiting})
        self.stdout.write(_("What is due gets done."))
