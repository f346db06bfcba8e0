"""A database as the old poller wrote it: its tables, its Fernet tokens, its habits."""

import json
import sqlite3

from cryptography.fernet import Fernet

KEPT = 30  # of each connection it remembers the latest so many sent orders

SCHEMA = """
CREATE TABLE connections (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, external_id TEXT NOT NULL,
    odoo_url TEXT NOT NULL, odoo_db TEXT NOT NULL, odoo_username TEXT NOT NULL,
    odoo_api_key TEXT NOT NULL, webhook_url TEXT NOT NULL,
    webhook_secret TEXT NOT NULL, poll_interval_seconds INTEGER DEFAULT 60, enabled INTEGER DEFAULT 1,
    circuit_state TEXT DEFAULT 'closed', circuit_failure_count INTEGER DEFAULT 0,
    circuit_last_failure_at TEXT, last_sync_at TEXT, created_at TEXT, updated_at TEXT);
CREATE TABLE sync_logs (
    id INTEGER PRIMARY KEY AUTOINCREMENT, connection_id INTEGER NOT NULL, started_at TEXT, finished_at TEXT,
    orders_found INTEGER DEFAULT 0, orders_sent INTEGER DEFAULT 0, orders_failed INTEGER DEFAULT 0,
    orders_skipped INTEGER DEFAULT 0, error_message TEXT);
CREATE TABLE retry_queue (
    id INTEGER PRIMARY KEY AUTOINCREMENT, connection_id INTEGER NOT NULL, odoo_order_id INTEGER NOT NULL,
    odoo_order_name TEXT, payload TEXT, status TEXT DEFAULT 'pending', attempts INTEGER DEFAULT 0,
    max_attempts INTEGER DEFAULT 5, next_retry_at TEXT, last_error TEXT, created_at TEXT, updated_at TEXT);
CREATE TABLE sent_orders (
    id INTEGER PRIMARY KEY AUTOINCREMENT, connection_id INTEGER NOT NULL, odoo_order_id INTEGER NOT NULL,
    odoo_order_name TEXT, odoo_write_date TEXT, sent_at TEXT);
"""


def text(moment):
    """2026-11-20 12:00:00, UTC."""
    return None if moment is None else f"{moment:%Y-%m-%d %H:%M:%S}"


class OldPoller:
    """Fills a file row by row, as the old poller would have."""

    def __init__(self, path, clock):
        self.path, self.clock = path, clock
        self.key = Fernet.generate_key().decode()
        self.file = sqlite3.connect(path)
        self.file.executescript(SCHEMA)

    def token(self, secret):
        return Fernet(self.key).encrypt(secret.encode()).decode()

    def insert(self, table, **values):
        names, marks = ", ".join(values), ", ".join("?" * len(values))
        row = self.file.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(values.values()))
        self.file.commit()
        return row.lastrowid

    def connect(self, world, **values):
        """It has been polling the shop of `world`."""
        sane = {
            "name": "Shop Madrid",
            "external_id": "shop-1",
            "odoo_url": world.connection.odoo_url,
            "odoo_db": world.connection.database,
            "odoo_username": world.connection.username,
            "odoo_api_key": self.token(world.shop.api_key),
            "webhook_url": world.connection.webhook_url,
            "webhook_secret": self.token(world.connection.webhook_secret.reveal()),
            "poll_interval_seconds": 60,
            "enabled": 1,
            "created_at": text(self.clock()),
            "updated_at": text(self.clock()),
        }
        return self.insert("connections", **sane | values)

    def polled(self, number=1, sent=0, found=None):
        self.insert(
            "sync_logs",
            connection_id=number,
            started_at=text(self.clock()),
            finished_at=text(self.clock()),
            orders_found=sent if found is None else found,
            orders_sent=sent,
        )
        self.file.execute(
            "UPDATE connections SET last_sync_at = ? WHERE id = ?", (text(self.clock()), number)
        )
        self.file.commit()

    def sent(self, shop, *order_ids, number=1, really=True):
        """It delivered these orders as they are now, and forgot all but the latest.

        Not `really`: it saw orders for the first time and only listed them.
        """
        for order_id in order_ids:
            order = record(shop, order_id)
            self.insert(
                "sent_orders",
                connection_id=number,
                odoo_order_id=order_id,
                odoo_order_name=order["name"],
                odoo_write_date=order["write_date"],
                sent_at=text(self.clock()),
            )
        self.file.execute(
            "DELETE FROM sent_orders WHERE connection_id = ? AND id NOT IN "
            "(SELECT id FROM sent_orders WHERE connection_id = ? ORDER BY id DESC LIMIT ?)",
            (number, number, KEPT),
        )
        self.polled(number, sent=len(order_ids) if really else 0, found=len(order_ids))

    def failed(self, shop, order_id, *, number=1, status="pending", attempts=2, **values):
        """Its receiver refused this order as it is now."""
        order = record(shop, order_id)
        payload = {"source": "odoo", "order": {"id": order_id, **order}}
        row = {
            "connection_id": number,
            "odoo_order_id": order_id,
            "odoo_order_name": order["name"],
            "payload": json.dumps(payload),
            "status": status,
            "attempts": attempts,
            "max_attempts": 5,
            "next_retry_at": text(self.clock()),
            "last_error": "HTTP 500",
            "created_at": text(self.clock()),
            "updated_at": text(self.clock()),
        }
        return self.insert("retry_queue", **row | values)


def record(shop, order_id):
    """Name and stamp of an order as Odoo gives them."""
    order = shop.world.get("sale.order", order_id)
    return {"name": order["name"], "write_date": text(order["write_date"])}
