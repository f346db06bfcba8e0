"""The app of orders under way."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from connections import diagnosis
from connections.diagnosis.alerts import ALERTS
from connections.diagnosis.legacy import LEGACY
from connections.diagnosis.watch import WATCH
from sync import checks  # noqa: F401  registers them


class SyncConfig(AppConfig):
    name = "sync"
    verbose_name = _("Orders")

    def ready(self) -> None:
        diagnosis.register(WATCH)
        diagnosis.register(LEGACY)
        diagnosis.register(ALERTS)
        import_module(
            "sync.safety"
        )  # registers the checks that ask the database, so not before there are models
        import_module("sync.running.hardening").install()
        sent_since = import_module("sync.tallying").sent_since
        import_module("sync.alerting.episodes").count_caught_up(sent_since)
