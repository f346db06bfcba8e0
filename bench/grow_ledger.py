"""A ledger with so many orders, all seen, sent and counted long ago: `python -m bench.grow_ledger ROWS`.

Rows are spread over the connections there are; what an earlier run made counts.
"""

import sys

import django
from django.apps import apps
from django.db import connection
from django.db.models import Max

ORDER_IDS = 10_000_000  # ours are smaller
SLICE = 50_000  # of one statement: a poller writes to the same file
NUMBERS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT %s UNION ALL SELECT i + 1 FROM n WHERE i < %s - 1)",
    "postgresql": "WITH n AS (SELECT generate_series(%s, %s - 1) AS i)",
}
SEEN = """
    INSERT INTO sync_seenorder (connection_id, order_id, order_name, reference, state, write_date,
        content_hash, version, announced, seeded, seen_at)
    {numbers} SELECT {owner}, i + 1, 'S' || i, '', 'sale', '2026-01-01 00:00:00',
        'b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c', 1, 'confirmed', {no},
        '2026-01-01 00:00:00' FROM n
"""
SENT = """
    INSERT INTO sync_sentorder (connection_id, order_id, order_name, version, event, event_id, write_date,
        content_hash, replay, seeded, sent_at)
    {numbers} SELECT {owner}, i + 1, 'S' || i, 1, 'order.confirmed', 'evt_0123456789abcdef' || i,
        '2026-01-01 00:00:00', 'b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c', {no}, {no},
        '2026-01-01 00:00:00' FROM n
"""


def grow(rows: int) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA busy_timeout = 300000")
        cursor.execute("SELECT count(*) FROM sync_seenorder WHERE order_id <= %s", [ORDER_IDS])
        there = cursor.fetchone()[0]
        cursor.execute("SELECT min(id), count(*) FROM connections_connection")
        first, number = cursor.fetchone()
        words = {
            "numbers": NUMBERS[connection.vendor],
            "owner": f"{int(first)} + i %% {int(number)}",
            "no": "FALSE" if connection.vendor == "postgresql" else "0",
        }
        for start in range(there, rows, SLICE):
            for statement in (SEEN, SENT):
                cursor.execute(statement.format(**words), [start, min(start + SLICE, rows)])
        if connection.vendor == "postgresql":
            cursor.execute("ANALYZE sync_seenorder, sync_sentorder")  # as it does by itself within minutes
    count()


def count() -> None:
    """As if each had been added up in its minute."""
    last = apps.get_model("sync", "SentOrder").objects.aggregate(last=Max("pk"))["last"] or 0
    mark = apps.get_model("sync", "MonitorMark")
    mark.objects.update_or_create(table="sentorder", defaults={"last_id": last})


if __name__ == "__main__":
    django.setup()
    grow(int(sys.argv[1]))
