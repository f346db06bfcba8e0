"""The app of orders under way."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from connections import causes
from sync.causes import WATCH


class SyncConfig(AppConfig):
    name = "sync"
    verbose_name = _("Orders")

    def ready(self) -> None:
        causes.register(WATCH)
        import_module("sync.checks")  # they ask the database, so not before there are models
        sent_since = import_module("sync.metrics.hourly").sent_since
        import_module("core.monitoring.alerts.incidents").count_caught_up(sent_since)
