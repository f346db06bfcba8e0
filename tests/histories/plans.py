"""A history as plain numbers: easy to draw at random, to shrink, to print and to play again."""

from dataclasses import dataclass
from random import Random

SETTINGS = 10
LARGEST = 9999


@dataclass(frozen=True)
class Plan:
    """`settings` choose the world, each step is (what happens, two numbers for how)."""

    settings: tuple
    steps: tuple

    @property
    def salt(self):
        return repr((self.settings, self.steps))


def drawn(seed):
    """The plan of a seed."""
    random = Random(seed)
    settings = tuple(random.randint(0, LARGEST) for _ in range(SETTINGS))
    length = random.choice((8, 15, 25, 40, 60))
    steps = tuple(tuple(random.randint(0, LARGEST) for _ in range(3)) for _ in range(length))
    return Plan(settings, steps)
