"""What is new, what is owed, what was sent: the only writer of the ledger's tables.

Every function is a few bulk statements, whatever the number of orders. Flows call it in a transaction whose
first act was to renew their lease (`connections/leases.py`); `lock` then makes writers of one connection
take turns, so that what a delivery records and what a poll decides never cross.
"""

from sync.ledger.acts import discard, know_by_stamp, retry_now
from sync.ledger.facts import Found, Key, first_due, known, lock, wake_deliveries
from sync.ledger.owing import note, owe, seed
from sync.ledger.recording import Tried, record, release_held

__all__ = [
    "Found",
    "Key",
    "Tried",
    "discard",
    "first_due",
    "know_by_stamp",
    "known",
    "lock",
    "note",
    "owe",
    "record",
    "release_held",
    "retry_now",
    "seed",
    "wake_deliveries",
]
