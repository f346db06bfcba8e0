"""One cause of failure, in words for people."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Cause:
    """`title` says what happened, `next_step` what a person can do about it."""

    title: Any
    next_step: Any
