"""manage.py with bombs in it.

`python -m bench.rig.saboteur JOURNAL answered@20 window@3:main -- runpoller --workers 8`
dies at the 20th arrival at the point `answered`, and as a whole at the third at `window`.
"""

import sys
from pathlib import Path

import django
from django.core.management import execute_from_command_line

from bench.rig import mines

django.setup()

from bench.rig.points import POINTS, hurry, mark_replacements  # noqa: E402

if __name__ == "__main__":
    words = sys.argv[1:]
    cut = words.index("--")
    journal = Path(words[0])
    for bomb in mines.parse(words[1:cut], journal):
        POINTS[bomb.point](bomb.arrive)
    hurry()
    mark_replacements(lambda: mines.write(journal, "replaced", "cluster"))
    execute_from_command_line(["manage.py", *words[cut + 1 :]])
