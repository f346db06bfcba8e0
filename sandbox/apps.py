"""The sandbox as an app, so that manage.py finds its commands. It has no models."""

from django.apps import AppConfig


class SandboxConfig(AppConfig):
    name = "sandbox"
