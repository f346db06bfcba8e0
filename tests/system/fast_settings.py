"""The product's settings for a round in a hurry: what takes a minute there takes seconds here."""

from odoopoller.settings import *  # noqa: F403

WATCHDOG_HEARTBEAT_SECONDS = 0.5
WATCHDOG_PATIENCE_SECONDS = 3
# These are constants of the product, which `tests.system.manage_with_kills.hurry` replaces.
LEASE_SECONDS = 8.0
LEASE_MARGIN_SECONDS = 3.0
RENEW_SECONDS = 1.0
FIRST_RETRY_SECONDS = 2
