"""A database as it is after a month of a thousand shops, written by the database itself. Run as a module."""

import json
import sys
from datetime import timedelta

import django

django.setup()

from django.db import connection as database  # noqa: E402
from django.db import transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from connections.models import Circuit, CircuitState, Connection, Side  # noqa: E402
from core.models import Finding  # noqa: E402
from sync.metrics.hourly import count_hours  # noqa: E402
from sync.models import PollState  # noqa: E402

LAST = 30 * 86_400  # seconds over which all of it is spread, newest first
LINE = {"name": "Camiseta", "quantity": 2.0, "unit_price": 10.0, "subtotal": 20.0}
BODY = json.dumps(
    {
        "source": "odoo",
        "event": "order.confirmed",
        "order": {"name": "S1", "amount_total": 160.0, "currency": "EUR", "state": "sale"},
        "customer": {"name": "Ana Castro", "email": "ana@example.com"},
        "items": [LINE | {"sku": f"A-{number}"} for number in range(8)],
    }
)


def main(connections: int, attempts: int) -> None:
    with transaction.atomic():
        _connections(connections)
        with database.cursor() as cursor:
            for statement in statements(database.vendor, connections, attempts // 3):
                cursor.execute(statement)
    with database.cursor() as cursor:
        cursor.execute("ANALYZE")
    count_hours(timezone.now())  # as the watch does each minute


def statements(vendor, connections, orders):
    ago = (
        "strftime('%Y-%m-%d %H:%M:%f', 'now', CAST(-({0}) AS TEXT) || ' seconds')"
        if vendor == "sqlite"
        else "now() - ({0}) * interval '1 second'"
    )
    body = f"CAST('{BODY}' AS BLOB)" if vendor == "sqlite" else f"convert_to('{BODY}', 'UTF8')"
    yes, no = ("1", "0") if vendor == "sqlite" else ("true", "false")
    step = LAST / orders
    rows = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {orders})"
    pad = (
        "printf('%05d', i / {c} + (i % {c}) * 37 % 20000)"
        if vendor == "sqlite"
        else "lpad((i / {c} + (i % {c}) * 37 % 20000)::text, 5, '0')"
    )
    name = "'S' || " + pad.format(c=connections)
    which, number = f"i % {connections} + 1", f"i / {connections} + 1"
    at, seen = ago.format(f"i * {step}"), ago.format(f"i * {step} - 20")
    status = (
        "CASE WHEN i <= 3000 AND i % 25 = 0 THEN 'pending' WHEN i <= 30000 AND i % 60 = 1 THEN 'failed' "
        "WHEN i <= 30000 AND i % 200 = 2 THEN 'discarded' ELSE 'sent' END"
    )
    yield f"""INSERT INTO sync_seenorder (connection_id, order_id, order_name, reference, state, write_date,
        content_hash, version, announced, seeded, seen_at)
        {rows} SELECT {which}, {number}, {name}, CASE WHEN i % 5 = 0 THEN 'WEB-' || i ELSE '' END, 'sale',
        {at}, 'h', 1, 'confirmed', {no}, {seen} FROM n"""
    yield f"""INSERT INTO sync_retryitem (connection_id, order_id, order_name, version, event, event_id,
        write_date, content_hash, replay, body, status, attempts, refusals, next_retry_at, error_code,
        error_detail, discarded_by, discard_reason, created_at, closed_at)
        {rows}, s(i, status) AS (SELECT i, {status} FROM n)
        SELECT {which}, {number}, {name}, 1, 'order.confirmed', 'evt_' || i, {at}, 'h', {no},
        CASE WHEN i < 100000 THEN {body} END, status, 3, 2,
        CASE WHEN status = 'pending' THEN {ago.format("-60 * i")} END,
        CASE WHEN status = 'failed' THEN 'receiver_refused' WHEN status = 'pending' THEN 'receiver_timeout'
        ELSE '' END, '', '', '', {at}, CASE WHEN status NOT IN ('pending', 'failed') THEN {seen} END FROM s
        ORDER BY i DESC"""
    yield f"""INSERT INTO sync_sentorder (connection_id, order_id, order_name, version, event, event_id,
        write_date, content_hash, replay, seeded, sent_at)
        {rows}, s(i, status) AS (SELECT i, {status} FROM n)
        SELECT {which}, {number}, {name}, 1, 'order.confirmed', 'evt_' || i, {at}, 'h', {no}, {no}, {seen}
        FROM s WHERE status = 'sent' ORDER BY i DESC"""
    for number_of_try in (1, 2, 3):
        yield f"""INSERT INTO sync_deliveryattempt (connection_id, item_id, order_id, order_name, version,
            event_id, number, started_at, duration_ms, delivered, status, error_code, error_detail, answer)
            SELECT connection_id, id, order_id, order_name, version, event_id, {number_of_try}, created_at,
            120, CASE WHEN status = 'sent' AND {number_of_try} = 3 THEN {yes} ELSE {no} END,
            CASE WHEN status = 'sent' AND {number_of_try} = 3 THEN 200 ELSE 503 END, '', '', 'sorry'
            FROM sync_retryitem ORDER BY id"""
    yield f"""INSERT INTO sync_synclog (connection_id, kind, started_at, finished_at, orders_found,
        orders_sent, orders_failed, orders_skipped, calls, error_code, error_detail)
        {rows} SELECT {which}, 'poll', {at}, {at}, 1, 1, 0, 0, 2, '', '' FROM n WHERE i < 200000
        ORDER BY i DESC"""


def _connections(count: int) -> None:
    now = timezone.now()
    rows = [
        Connection(
            pk=n,
            name=f"Tienda {n}",
            external_id=f"tienda-{n}",
            odoo_url=f"https://tienda{n}.example.com",
            database=f"tienda{n}",
            username="poller@example.com",
            api_key="0123456789abcdef",
            webhook_url="https://stockmaster.example.com/hooks",
            webhook_secret="whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
        )
        for n in range(1, count + 1)
    ]
    Connection.objects.bulk_create(rows, batch_size=500)
    PollState.objects.bulk_create(
        PollState(
            connection=row,
            next_poll_at=now + timedelta(days=1 if row.pk % 50 else -1),
            last_polled_at=now,
            last_success_at=now,
            started_at=now - timedelta(days=60),
            error_code="odoo_timeout" if row.pk % 40 == 1 else "",
        )
        for row in rows
    )
    Circuit.objects.bulk_create(
        Circuit(
            connection=row,
            side=side,
            state=CircuitState.OPEN if row.pk % 60 == 3 and side == Side.WEBHOOK else CircuitState.CLOSED,
            error_code="receiver_timeout" if row.pk % 60 == 3 else "",
            paused_at=now if row.pk % 80 == 5 else None,
            paused_reason="stocktaking" if row.pk % 80 == 5 else "",
        )
        for row in rows
        for side in Side
    )
    Finding.objects.bulk_create(
        Finding(connection=row, code="odoo_clock_skew", since=now, seen_at=now) for row in rows[:12]
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
