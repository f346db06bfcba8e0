"""What is new, what is owed, what was sent: the only writer of the ledger's tables.

Every function is a few bulk statements, whatever the number of orders. Flows call it in a transaction whose
first act was to renew their lease (`connections/leases.py`); `lock` then makes writers of one connection
take turns, so that what a delivery records and what a poll decides never cross.
"""

from sync.ledger.commands import discard, know_by_stamp, retry_now
from sync.ledger.delete import delete_all
from sync.ledger.imported import add_imported, fail_imported, forget_imported, owed_before
from sync.ledger.known import Found, Key, first_due, known, lock, wake_deliveries
from sync.ledger.last_versions import endings
from sync.ledger.owe import note, owe, seed
from sync.ledger.record import Tried, record, release_held
from sync.ledger.rereads import forget_rereads, leave_held, reread_done, rereads, send_held

__all__ = [
    "Found",
    "Key",
    "Tried",
    "add_imported",
    "delete_all",
    "discard",
    "endings",
    "fail_imported",
    "first_due",
    "forget_imported",
    "forget_rereads",
    "know_by_stamp",
    "known",
    "leave_held",
    "lock",
    "note",
    "owe",
    "owed_before",
    "record",
    "release_held",
    "reread_done",
    "rereads",
    "retry_now",
    "seed",
    "send_held",
    "wake_deliveries",
]
