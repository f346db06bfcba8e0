"""The app of orders under way."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from sync import checks  # noqa: F401  registers them


class SyncConfig(AppConfig):
    name = "sync"
    verbose_name = _("Orders")
