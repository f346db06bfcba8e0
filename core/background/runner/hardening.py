"""django-q2 without what runs or unpickles whatever a row of the database holds.

Who can write to the database must not be able to run code here: a schedule's row names any function, a
task's row holds pickles and may name a function to call with it. (What waits in the queue is a pickle too,
but its signature by SECRET_KEY is checked before it is unpickled.)
"""

from __future__ import annotations

import pickletools
from base64 import b64decode
from typing import Any

from django.db.models.signals import post_save
from django.utils.translation import gettext as _
from django_q import scheduler
from django_q.models import Task
from django_q.signals import call_hook
from picklefield.fields import PickledObject

from core.background import schedules

PICKLED = ("args", "kwargs", "result")
LONGEST = 200_000  # characters of a stored result
TEXT = {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE"}
FRAMING = {"PROTO", "FRAME", "MEMOIZE", "BINPUT", "LONG_BINPUT", "PUT", "STOP"}


def install() -> None:
    """Once in each process, after django-q2 was loaded and before a cluster is."""
    scheduler.scheduler = schedules.queue_due  # django_q.cluster takes it from there
    post_save.disconnect(call_hook, sender=Task)  # no task of ours has one
    for name in PICKLED:
        Task._meta.get_field(name).from_db_value = _as_stored


def _as_stored(value: str | None, expression: Any, connection: Any) -> PickledObject | None:
    """Still a pickle: it is written back as it was, and nobody opens it."""
    return None if value is None else PickledObject(value)


def text_of(stored: str | None) -> str:
    """The text that a task's result is, taken out of its pickle without unpickling: that could run code."""
    if stored is None:
        return ""
    try:
        steps = list(pickletools.genops(b64decode(stored[:LONGEST])))
    except Exception:  # whatever somebody else wrote there
        return _("This result cannot be read.")
    texts = [argument for code, argument, __ in steps if code.name in TEXT]
    if len(texts) == 1 and {code.name for code, *__ in steps} <= TEXT | FRAMING:
        return str(texts[0])
    return (
        ""
        if [code.name for code, *__ in steps if code.name not in FRAMING] == ["NONE"]
        else _("This result is not text.")
    )
