"""The app of what every system stands on."""

from importlib import import_module

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from connections import causes
from core.background import checks  # noqa: F401  registers them
from core.monitoring.causes import ALERTS


class CoreConfig(AppConfig):
    name = "core"
    verbose_name = _("Engine room")

    def ready(self) -> None:
        causes.register(ALERTS)
        import_module("core.background.runner.hardening").install()  # not before there are models
