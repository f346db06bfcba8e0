"""What `manage.py` does around a command: whatever goes wrong ends in a sentence that shows no value."""

from __future__ import annotations

import logging
import os
import re
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import django
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import Error

from core.monitoring.log_format import SPEAKING

INTERRUPTED = 130  # what a shell expects after Ctrl-C
SURROGATES = re.compile("[\ud800-\udfff]")  # how Python hands on bytes that are not UTF-8
INTERACTIVE = ("shell", "test")  # who works there wants the whole error

logger = logging.getLogger("poller.commands")


def run(arguments: Sequence[str]) -> None:
    """Run a command. Raises SystemExit, and ModuleNotFoundError where a package is not installed."""
    _refuse_other_encodings(arguments)
    try:
        _load()
        execute_from_command_line(list(arguments))
    except ImproperlyConfigured as error:
        sys.exit(f"Not configured: {error}")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except ModuleNotFoundError:
        raise
    except BrokenPipeError:  # who reads us has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except Exception as error:
        if "--traceback" in arguments or set(arguments[1:2]) & set(INTERACTIVE):
            raise
        sys.exit(_database(error) if isinstance(error, Error) else _fault(error))
    finally:
        _on_interrupt(signal.SIG_DFL)  # nothing is left that could be ended in good order


def _refuse_other_encodings(arguments: Sequence[str]) -> None:
    for number, argument in enumerate(arguments):
        if SURROGATES.search(argument):
            sys.exit(f"Argument {number} is not UTF-8. Type it in a terminal that uses UTF-8.")


def _load() -> None:
    """Everything that takes long, before Ctrl-C becomes an exception that commands can answer."""
    try:
        django.setup()
    except ImproperlyConfigured:
        pass  # commands that need no settings go on; the others are told again
    finally:
        _on_interrupt(signal.default_int_handler)


def _on_interrupt(handler: Any) -> None:
    """Unless the caller wants it ignored, as a shell does for what runs in the background."""
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, handler)


def _database(error: Error) -> str:
    # Of rows and values that a database refuses it quotes the content; of itself it may speak.
    words = " ".join(str(error).split()) if isinstance(error, SPEAKING) else type(error).__name__
    return f"The database refused: {words.rstrip('.?')}. If it was never set up, run manage.py migrate."


def _fault(error: Exception) -> str:
    """For the log the way through the code, for the person its end. The error's words may hold data."""
    if apps.ready:
        logger.error("A command failed in our own code", exc_info=error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{type(error).__name__} in {Path(last.filename).name}, line {last.lineno}"
    return f"A fault in our own code: {place}. With --traceback all of it is shown, values too."
