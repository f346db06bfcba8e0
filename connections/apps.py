"""The app of connections."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from connections import checks, diagnosis  # noqa: F401  the checks register themselves
from connections.diagnosis.odoo import ODOO
from connections.diagnosis.receiver import RECEIVER


class ConnectionsConfig(AppConfig):
    name = "connections"
    verbose_name = _("Connections")

    def ready(self) -> None:
        diagnosis.register(ODOO)
        diagnosis.register(RECEIVER)
