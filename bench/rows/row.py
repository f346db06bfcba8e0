"""What a row is: a name, a sentence, and a function that measures."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.rig.figure import Figure
from bench.rig.ground import Setting


@dataclass(frozen=True)
class Row:
    """`databases`: on which of the variants of `bench.rig.scratch` it can be measured; empty: on all."""

    name: str
    about: str
    measure: Callable[[Setting], list[Figure]]
    databases: tuple[str, ...] = ()
