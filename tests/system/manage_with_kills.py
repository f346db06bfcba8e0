"""manage.py with kill points in it.

`python -m tests.system.manage_with_kills JOURNAL answered@20 window@3:main -- runpoller --workers 8`
dies at the 20th arrival at the point `answered`, and as a whole at the third at `window`.
"""

import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.management import execute_from_command_line

from tests.system import kill_points

django.setup()

from connections import faultpoints, leases  # noqa: E402
from connections.receiver import backoff  # noqa: E402
from sync.deliveries import session as deliveries_session  # noqa: E402
from tests.system.points import REPLACED, Minefield  # noqa: E402


def hurry() -> None:
    """Shorter leases and retries, where the settings (`tests.system.fast_settings`) say so."""
    if not hasattr(settings, "FIRST_RETRY_SECONDS"):
        return
    leases.LEASE_SECONDS = leases.claim.__kwdefaults__["seconds"] = settings.LEASE_SECONDS
    leases.renew.__kwdefaults__["seconds"] = settings.LEASE_SECONDS
    leases.RENEW_SECONDS = settings.RENEW_SECONDS
    deliveries_session.LEASE_MARGIN_SECONDS = settings.LEASE_MARGIN_SECONDS
    backoff.STEPS_SECONDS = (settings.FIRST_RETRY_SECONDS, *backoff.STEPS_SECONDS)


if __name__ == "__main__":
    words = sys.argv[1:]
    cut = words.index("--")
    journal = Path(words[0])
    field = Minefield(
        kill_points.parse(words[1:cut], journal), lambda: kill_points.write(journal, REPLACED, "cluster")
    )
    faultpoints.install(field.visit)
    hurry()
    execute_from_command_line(["manage.py", *words[cut + 1 :]])
