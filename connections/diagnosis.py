"""Every cause of failure we know, in words for people: what happened, and what to do next."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Cause:
    """`title` says what happened, `next_step` what a person can do about it."""

    title: Any
    next_step: Any


CAUSES: dict[str, Cause] = {
    "unknown": Cause(
        _("Something went wrong that we do not know yet"),
        _("Show the technical detail below to an engineer."),
    ),
}


def explain(code: str) -> Cause:
    """The words for an error code; an unknown code gets the words for the unknown."""
    return CAUSES.get(code, CAUSES["unknown"])
