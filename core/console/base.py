"""The base of our commands: examples in `--help`, and a sentence instead of a traceback."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import Any, ClassVar

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError, CommandParser, DjangoHelpFormatter
from django.db import OperationalError, ProgrammingError
from django.utils.translation import gettext as _

from connections.causes import explain
from connections.errors import RemoteError

INTERRUPTED = 130  # what a shell expects after Ctrl-C


class ExamplesFormatter(DjangoHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Keeps the lines of the description and of the examples as they are written."""


class TeachingCommand(BaseCommand):
    """A command with `examples`: pairs of a command line (without `manage.py`) and what it does."""

    help: Any = ""  # may be lazy, unlike Django's own
    examples: ClassVar[Sequence[tuple[str, Any]]] = ()

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        return super().create_parser(
            prog_name, subcommand, formatter_class=ExamplesFormatter, epilog=self._epilog(), **kwargs
        )

    def _epilog(self) -> str:
        lines = [f"  # {what}\n  manage.py {line}" for line, what in self.examples]
        return "\n".join([_("Examples:"), *lines])

    def execute(self, *args: Any, **options: Any) -> str | None:
        try:
            output = super().execute(*args, **options)
            self.stdout.flush()
            return output
        except BrokenPipeError:
            # Who reads us has seen enough, as `head` has: nothing is wrong, and nothing more can be said.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return None
        except CommandError as error:
            error.args = tuple(map(harmless, error.args))
            raise
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        except RemoteError as error:
            raise CommandError(sentence(error)) from error
        except (OperationalError, ProgrammingError) as error:
            raise CommandError(
                _("The database refused: %(error)s. If it was never set up, run manage.py migrate.")
                % {"error": str(error).strip()}
            ) from error
        except KeyboardInterrupt:
            raise CommandError(_("Stopped."), returncode=INTERRUPTED) from None


def harmless(words: Any) -> str:
    """Without what a terminal would obey: what a person typed, or a file held, may be quoted."""
    return "".join(c if c.isprintable() or c == "\n" else " " for c in str(words))


def sentence(error: RemoteError) -> str:
    """What happened, what to do next, and the remote's own words."""
    cause = explain(error.code)
    detail = f" ({error.detail})" if error.detail else ""
    return f"{cause.title}{detail}. {cause.next_step}"
