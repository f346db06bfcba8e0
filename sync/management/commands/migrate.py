"""Django's migrate, which also switches a new SQLite file to WAL before anybody else opens it."""

from typing import Any

from django.core.management.commands.migrate import Command as MigrateCommand
from django.db import connections


class Command(MigrateCommand):
    def handle(self, *args: Any, **options: Any) -> None:
        # The mode is kept in the file. Switching it from several processes at once fails now and then,
        # so it is done here, in the one step that comes before all of them.
        database = connections[options["database"]]
        if database.vendor == "sqlite":
            with database.cursor() as cursor:
                cursor.execute("PRAGMA journal_mode=WAL")
        super().handle(*args, **options)
