"""Watches who writes the ledger's tables: the nearest code of ours, or a test that makes its rows."""

import re
import sys
from pathlib import PurePath

from django.db.models.deletion import Collector

from connections.models import Connection
from tests.conftest import ROOT

WRITES = re.compile(
    r'\s*(?:INSERT INTO|UPDATE|DELETE FROM) "?sync_(?:seenorder|retryitem|sentorder|deliveryattempt)"?\b',
    re.I,
)
OURS = ("connections", "core", "sync", "sandbox", "odoopoller", "tests", "bench")
CARRIERS = ("core/background/bulk.py", "tests/sync/only_writer.py")  # they write what they are given
WRITERS = ("sync/ledger/", "sync/migrations/", "tests/", "bench/")


class OnlyWriter:
    """An execute_wrapper; `others` are the places that wrote the ledger and may not."""

    def __init__(self):
        self.others = []
        self.seen = 0

    def __call__(self, execute, sql, params, many, context):
        if WRITES.match(sql):
            self.seen += 1
            place = writer(sys._getframe(1))
            if place and not place.startswith(WRITERS):
                self.others.append(f"{place}: {sql[:60]}")
        return execute(sql, params, many, context)


def writer(frame):
    """The file nearest to the statement that is ours; "" where a connection goes and takes its rows along."""
    while frame is not None:
        if frame.f_code is Collector.delete.__code__ and isinstance(_origin(frame), Connection):
            return ""
        name = _ours(frame.f_code.co_filename)
        if name and name not in CARRIERS:
            return name
        frame = frame.f_back
    return ""


def _origin(frame):
    """What was to be deleted: a row, or the first of a query's."""
    origin = frame.f_locals["self"].origin
    return origin if not hasattr(origin, "model") else origin.model()


def _ours(filename):
    path = PurePath(filename)
    if not path.is_relative_to(ROOT):
        return ""
    name = path.relative_to(ROOT)
    return str(name) if name.parts[0] in OURS else ""
