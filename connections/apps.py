"""The app of connections."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from connections import checks  # noqa: F401  registers them


class ConnectionsConfig(AppConfig):
    name = "connections"
    verbose_name = _("Connections")
