"""The app of connections."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from connections import causes, checks  # noqa: F401  the checks register themselves
from connections.odoo.causes import ODOO
from connections.receiver.causes import RECEIVER


class ConnectionsConfig(AppConfig):
    name = "connections"
    verbose_name = _("Connections")

    def ready(self) -> None:
        causes.register(ODOO)
        causes.register(RECEIVER)
