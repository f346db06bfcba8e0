"""What a row is: a name, a sentence, and a function that measures."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.environment import Setting
from bench.report import Figure


@dataclass(frozen=True)
class Row:
    """`databases`: on which of the variants of `tests.system.scratch` it can be measured; empty: on all."""

    name: str
    about: str
    measure: Callable[[Setting], list[Figure]]
    databases: tuple[str, ...] = ()
