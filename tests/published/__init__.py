"""The published schema as receivers know it, and what in a newer one would break them.

`python -m tests.published` publishes the schema as it is now: only if all that was published stays as it was.
"""

from pathlib import Path

NAME = "order-event-1.json"
PUBLISHED = Path(__file__).parent / NAME
CURRENT = Path(__file__).parents[2] / "docs" / "schema" / NAME

TEXTS = {"title", "description", "examples", "$comment"}
GROWING = ("properties", "$defs")  # where a new name is an addition


def breaking(old, new, at="$"):
    """Every place where the newer schema is not the older one with additions.

    Narrower and wider are both refused: receivers count on what they may get, and a body that was stored
    before an update is sent after it.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        return list(_in_object(old, new, at))
    if isinstance(old, list) and isinstance(new, list) and at.endswith((".required", ".enum", ".type")):
        old, new = sorted(old, key=str), sorted(new, key=str)
    return [] if old == new and type(old) is type(new) else [f"{at}: {old!r} became {new!r}"]


def _in_object(old, new, at):
    grows = at.endswith(tuple(f".{name}" for name in GROWING))
    texts = set() if grows else TEXTS
    for name in old.keys() - texts:
        if name not in new:
            yield f"{at}.{name} is gone"
        else:
            yield from breaking(old[name], new[name], f"{at}.{name}")
    if not grows:
        yield from (
            f"{at}.{name} is new and refuses what was sent" for name in new.keys() - old.keys() - texts
        )
