"""manage.py with its database statements counted, over all of its processes.

`python -m bench.count_statements FILE runpoller --workers 4` appends a letter for each statement to FILE:
"q" for one on django-q2's tables, "c" for one that begins a transaction, "s" for any other.
"""

import os
import sys
from collections.abc import Callable
from typing import Any

from django.core.management import execute_from_command_line
from django.db.backends.signals import connection_created

CONTROL = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE", "PRAGMA", "SET ", "SHOW ")


def letter(sql: str) -> bytes:
    if sql.lstrip()[:9].upper().startswith(CONTROL):
        return b"c"
    return b"q" if "django_q_" in sql else b"s"


def count_into(path: str) -> None:
    """From now on, here and in what is forked from here; appended bytes of all processes add up."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def counting(execute: Callable[..., Any], sql: Any, *rest: Any) -> Any:
        os.write(file, letter(str(sql)))
        return execute(sql, *rest)

    def install(connection: Any, **_: Any) -> None:
        if counting not in connection.execute_wrappers:
            connection.execute_wrappers.append(counting)

    connection_created.connect(install, weak=False)


if __name__ == "__main__":
    count_into(sys.argv[1])
    execute_from_command_line(["manage.py", *sys.argv[2:]])
