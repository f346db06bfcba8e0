"""Django's migrate; a SQLite file becomes its owner's alone and is switched to WAL; schedules are made."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.management.commands.migrate import Command as MigrateCommand
from django.db import connections

from core.background import schedules

TABLES = {"connections_lease", "django_q_schedule"}


class Command(MigrateCommand):
    def handle(self, *args: Any, **options: Any) -> None:
        # The mode is kept in the file. Switching it from several processes at once fails now and then,
        # so it is done here, in the one step that comes before all of them.
        database = connections[options["database"]]
        if database.vendor == "sqlite":
            make_private(str(database.settings_dict["NAME"]))
            with database.cursor() as cursor:
                cursor.execute("PRAGMA journal_mode=WAL")
        super().handle(*args, **options)
        # A migration can be stopped short of these tables, and a plan makes none.
        if set(database.introspection.table_names()) >= TABLES and not (
            options["plan"] or options["check_unapplied"]
        ):
            schedules.ensure()


def make_private(name: str) -> None:
    """Only their owner reads the database file and what SQLite puts beside it, with the mode of the file."""
    if name.startswith((":memory:", "file:")):
        return
    with suppress(OSError):  # migrate itself says what is wrong with the place
        Path(name).touch(mode=0o600)
    for suffix in ("", "-wal", "-shm"):
        with suppress(OSError):  # not there, or somebody else's
            Path(name + suffix).chmod(0o600)
