"""The import of an old poller's data as an app, so that one `git rm` takes it away. It has no models."""

from django.apps import AppConfig

from connections import causes
from sync.legacy.causes import LEGACY


class LegacyConfig(AppConfig):
    name = "sync.legacy"
    label = "legacy"

    def ready(self) -> None:
        causes.register(LEGACY)
