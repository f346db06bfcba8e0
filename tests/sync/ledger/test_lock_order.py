"""Writers of the same rows take them in one order, so that no two of them wait for each other for ever."""

import threading
from datetime import timedelta

import pytest
from django.db import connection as database
from django.db import transaction
from django.utils import timezone

from connections import leases
from sync import due, ledger
from sync.models import PollState

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

ROUNDS = 60
SHOPS = 12


@pytest.fixture
def row_locks():
    if not database.features.has_select_for_update:
        pytest.skip("SQLite has one writer at a time")


def test_claims_renewals_and_updates_never_deadlock(row_locks, make_connection):
    shops = [make_connection(name=f"Shop {n}", external_id=str(n), database=f"db{n}") for n in range(SHOPS)]
    ids = [shop.pk for shop in shops]
    now = timezone.now()
    for pk in reversed(ids):  # so that the order in the table is not the order of the keys
        PollState.objects.create(connection_id=pk, next_poll_at=now, deliver_at=now)
    keys = [f"webhook:{pk}" for pk in ids]
    mine = leases.new_token()
    leases.claim(keys[::-1], mine, now=now)

    def write():
        with transaction.atomic():
            leases.renew(keys, mine, now=timezone.now())
            ledger.lock(ids)
            PollState.objects.filter(pk__in=ids).update(deliver_at=now)

    def claim():
        due.claim_deliveries(timezone.now(), SHOPS)

    def wake():
        PollState.objects.filter(next_poll_at__lte=now + timedelta(days=1)).update(deliver_at=now)

    assert run_at_once(write, claim, wake) == []


def run_at_once(*acts):
    faults = []

    def again(act):
        try:
            for _ in range(ROUNDS):
                act()
        except Exception as fault:
            faults.append(repr(fault))
        finally:
            database.close()

    threads = [threading.Thread(target=again, args=(act,)) for act in acts for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return faults
