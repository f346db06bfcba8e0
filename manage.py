#!/usr/bin/env python3
"""Django's command line for this project."""

import os
import signal
import sys
from importlib import import_module

NOT_INSTALLED = (
    "This Python ({python}) lacks the package {package}. `make run` installs all of them; then use "
    ".venv/bin/python manage.py. Elsewhere install requirements.txt."
)


def leave_at_once(number: int, frame: object) -> None:
    """Nothing has begun while modules load, and an exception in the midst of that ends in a traceback."""
    os._exit(130)


if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036 - a shell starts this with the first Python it finds
        sys.exit(f"Python 3.11 or newer is needed, not {sys.version.split()[0]}. `make run` looks for one.")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "odoopoller.settings")
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, leave_at_once)
    try:
        import_module("odoopoller.commandline").run(sys.argv)
    except ModuleNotFoundError as error:
        sys.exit(NOT_INSTALLED.format(python=sys.executable, package=error.name))
