"""Django's migrate, which also switches a new SQLite file to WAL and makes the schedules that code owns."""

from typing import Any

from django.core.management.commands.migrate import Command as MigrateCommand
from django.db import connections

from sync import schedules

TABLES = {"connections_lease", "django_q_schedule"}


class Command(MigrateCommand):
    def handle(self, *args: Any, **options: Any) -> None:
        # The mode is kept in the file. Switching it from several processes at once fails now and then,
        # so it is done here, in the one step that comes before all of them.
        database = connections[options["database"]]
        if database.vendor == "sqlite":
            with database.cursor() as cursor:
                cursor.execute("PRAGMA journal_mode=WAL")
        super().handle(*args, **options)
        # A migration can be stopped short of these tables, and a plan makes none.
        if set(database.introspection.table_names()) >= TABLES and not (
            options["plan"] or options["check_unapplied"]
        ):
            schedules.ensure()
