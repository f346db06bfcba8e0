"""Shared by commands that test a connection: one test of each connection at a time, whatever asked for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from connections.models import Connection
from sync.connection_test.on_request import UnderWay, only_test


@contextmanager
def alone_with(connection: Connection) -> Iterator[None]:
    """Raises CommandError where the connection is being tested already."""
    try:
        with only_test(connection.pk):
            yield
    except UnderWay as error:
        raise CommandError(
            _(
                "“%s” is being tested at this moment, from its page or by another command. Nothing was done; "
                "try again in a minute."
            )
            % connection
        ) from error
