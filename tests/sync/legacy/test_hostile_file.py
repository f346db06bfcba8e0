"""An old poller's file with values in it that it never wrote: a sentence, never a traceback or a secret."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from connections.models import Connection
from tests.sync.legacy.old_poller import OldPoller, text

pytestmark = pytest.mark.django_db
SECRET = "hunter2Zx7Lw"


@pytest.fixture
def old(tmp_path, clock):
    old = OldPoller(tmp_path / "poller.db", clock)
    moment = text(clock())
    old.insert(
        "connections", name="Shop Madrid", external_id="shop-1", odoo_url="https://shop.odoo.com",
        odoo_db="shop", odoo_username="poller", odoo_api_key=old.token(SECRET), webhook_url="https://stock.example.com/in",
        webhook_secret=old.token(SECRET), poll_interval_seconds=60, enabled=1, created_at=moment,
        last_sync_at=moment,
    )  # fmt: skip
    old.insert("sync_logs", connection_id=1, started_at=moment, orders_found=1, orders_sent=1)
    row = {"connection_id": 1, "odoo_order_id": 7, "odoo_order_name": "S00007"}
    old.insert("sent_orders", **row, odoo_write_date=moment, sent_at=moment)
    old.insert("retry_queue", **row, payload="{}", status="pending", created_at=moment, updated_at=moment)
    return old


def said(old, *words):
    out = StringIO()
    try:
        call_command("importlegacy", str(old.path), f"--key={old.key}", *words, stdout=out, stderr=out)
    except CommandError as error:
        out.write(str(error))
    return out.getvalue()


MOMENTS = [
    "0001-01-01 00:00:00",
    "9999-12-31 23:59:59-12:00",
    "2026-13-45",
    "99999-01-01",
    SECRET,
    5,
    b"\xff",
    None,
]
NUMBERS = ["often", "9" * 5000, -1, 2**63 - 1, 1.5, b"\xff\xfe", "", None]


@pytest.mark.parametrize(
    ("table", "column", "values"),
    [
        ("connections", "poll_interval_seconds", NUMBERS),
        ("connections", "enabled", NUMBERS),
        ("connections", "created_at", MOMENTS),
        ("connections", "last_sync_at", MOMENTS),
        ("connections", "name", ["", "a\0b", b"\xff", 5, "x" * 10_000]),
        ("connections", "odoo_url", [f"http://u:{SECRET}@[::1", "http://host:port", "", b"\xff"]),
        ("connections", "webhook_secret", [SECRET, b"\xff", "", 5]),
        ("sync_logs", "started_at", MOMENTS),
        ("sync_logs", "orders_sent", NUMBERS),
        ("sent_orders", "odoo_order_id", NUMBERS[:-1]),
        ("sent_orders", "odoo_write_date", MOMENTS),
        ("sent_orders", "sent_at", MOMENTS),
        ("retry_queue", "odoo_order_id", NUMBERS[:-1]),
        ("retry_queue", "attempts", NUMBERS),
        ("retry_queue", "payload", ["[" * 100_000, f'{{"order": "{SECRET}"}}', "9" * 5000, b"\xff"]),
        ("retry_queue", "updated_at", MOMENTS),
    ],
)
def test_a_strange_value_is_a_sentence_or_does_no_harm(old, table, column, values):
    for value in values:
        old.file.execute(f"UPDATE {table} SET {column} = ?", [value])
        old.file.commit()
        for words in (["--dry-run"], ["--days", "36500"]):
            told = said(old, *words)
            assert "Traceback" not in told and SECRET not in told, (column, value)
        Connection.objects.all().delete()


@pytest.mark.parametrize("path", ["x" * 5000, "/", "/dev/null", "nowhere.db"])
def test_a_path_that_is_no_file_is_a_sentence(old, path):
    old.path = path
    assert "There is no file" in said(old)


def test_a_key_file_is_read_however_it_was_saved(old, tmp_path):
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        (tmp_path / "old.env").write_bytes(f"POLLER_ENCRYPTION_KEY={old.key}\r\n".encode(encoding))
        out = StringIO()
        line = ["importlegacy", str(old.path), "--key-file", str(tmp_path / "old.env"), "--dry-run"]
        call_command(*line, stdout=out)
        assert "Shop Madrid" in out.getvalue()
    (tmp_path / "old.env").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(CommandError, match="cannot be read"):
        call_command(*line, stdout=out)
