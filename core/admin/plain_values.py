"""Values of a request that no row can have, found out before a database stumbles over them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest

BIGGEST_KEY = 2**63 - 1


def holds_nul(texts: Iterable[str]) -> bool:
    """PostgreSQL stores no text with a NUL, and does not even compare with one."""
    return any("\0" in text for text in texts)


def is_key(column: models.Field[Any, Any], text: str) -> bool:
    """Whether a row can have this primary key."""
    try:
        key = column.to_python(text)
    except ValidationError:
        return False
    return abs(key) <= BIGGEST_KEY if isinstance(key, int) else not holds_nul([text])


def posted_token(request: HttpRequest) -> str:
    """What tells one press of a button from the next, if our own form gave it."""
    token = request.POST.get("token", "")[:32]
    return token if token.isalnum() else ""


if TYPE_CHECKING:
    ChosenRows = forms.ModelMultipleChoiceField[Any]
else:
    ChosenRows = forms.ModelMultipleChoiceField


class RowsField(ChosenRows):
    """Several rows of a table. Of numbers too big for a key Django asks SQLite, which cannot be asked."""

    def clean(self, value: Any) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.queryset  # type: ignore[assignment]  # every field of ours has one
        column = rows.model._meta.pk
        for text in value if isinstance(value, list | tuple) else []:
            if not is_key(column, str(text)):
                raise ValidationError(
                    self.error_messages["invalid_pk_value"], code="invalid_pk_value", params={"pk": text}
                )
        return super().clean(value)
