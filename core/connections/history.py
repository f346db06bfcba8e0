"""What somebody changed in a connection, with before and after; of secrets only that they changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from connections.forms import SECRETS
from core.admin.base import exactly


def change_in_words(form: Any) -> str:
    """One sentence per field; empty when nothing changed."""
    return "; ".join(_field(form, name) for name in form.changed_data)


def _field(form: Any, name: str) -> str:
    field = form.fields[name]
    label = str(field.label or name)
    label = label[:1].upper() + label[1:]
    if name in SECRETS:
        return _("%s was replaced") % label
    before, after = form.get_initial_for_field(field, name), form.cleaned_data.get(name)
    return f"{label}: {_shown(field, before)} → {_shown(field, after)}"


def _shown(field: Any, value: Any) -> str:
    words = {str(key): str(word) for key, word in getattr(field, "choices", None) or []}
    if isinstance(value, list | tuple):
        return ", ".join(words.get(str(each), str(each)) for each in value) or "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        return exactly(value)
    return words.get(str(value), str(value)) if value not in (None, "") else "–"
