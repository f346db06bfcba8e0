"""manage.py with its tasks under cProfile: `python -m bench.profile FOLDER runpoller --workers 4`.

Each worker writes what its main thread has done so far to FOLDER/<process>.prof after every task. What the
threads do, HTTP, is left out: that is for py-spy.
"""

import cProfile
import os
import sys
from pathlib import Path
from typing import Any

import django
from django.core.management import execute_from_command_line

django.setup()

from sync.deliveries import dispatcher  # noqa: E402
from sync.polling import poll  # noqa: E402

_profile = cProfile.Profile()


def profile(owner: Any, name: str, folder: Path) -> None:
    original = getattr(owner, name)

    def profiled(*args: Any, **kwargs: Any) -> Any:
        try:
            return _profile.runcall(original, *args, **kwargs)
        finally:
            _profile.dump_stats(folder / f"{os.getpid()}.prof")

    setattr(owner, name, profiled)


if __name__ == "__main__":
    into = Path(sys.argv[1])
    into.mkdir(parents=True, exist_ok=True)
    profile(poll, "poll", into)
    profile(dispatcher, "deliver_due", into)
    execute_from_command_line(["manage.py", *sys.argv[2:]])
