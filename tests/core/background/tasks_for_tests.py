"""Tasks for the queue that only leave a mark, each a line in a file: what, and the process that did it."""

import os
import threading
import time
from pathlib import Path

from django.conf import settings


def mark(name):
    with (Path(settings.DATA_DIR) / "marks").open("a") as marks:
        marks.write(f"{name} {os.getpid()}\n")


def nap(name, seconds):
    mark(f"begin-{name}")
    time.sleep(seconds)
    mark(f"end-{name}")


def hang_in_threads(name):
    """As a pool of HTTP threads hangs: no alarm gets through to it."""
    mark(f"begin-{name}")
    thread = threading.Thread(target=time.sleep, args=(600,))
    thread.start()
    thread.join()
