"""Text of one line in which everything can be seen: what names have to be, and what is made of others.

A line break in a name ends a mail's header or a line of a log; a mark of direction shows it as another one.
"""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

# Controls, line and paragraph ends, marks of direction, what has no width, halves of characters. Left out are
# the joiners U+200C and U+200D: Persian, Hindi and emoji are written with them.
HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)


def require_plain(text: str) -> None:
    """A validator of form fields for names."""
    found = HIDDEN.search(text)
    if found:
        raise ValidationError(
            _(
                "There is a line break, a control character or an invisible mark (%(mark)s) in it: type it "
                "instead of pasting it."
            ),
            code="hidden",
            params={"mark": f"U+{ord(found[0]):04X}"},
        )


def one_line(text: str) -> str:
    """The same with a space for everything hidden: for names that are stored already, and others' words."""
    return " ".join(HIDDEN.sub(" ", text).split())


def escaped(text: str) -> str:
    """The same with everything hidden written out, as \\n or \\u202e: a log shows what came."""
    return HIDDEN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
