"""Rows and orders made with the few words a test cares about: every keyword replaces a value."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from connections.models import Circuit, Connection
from core.models import AlertChannel, Finding
from sync.models import DeliveryAttempt, PollState, RetryItem, SeenOrder, SentOrder, SyncLog
from sync.orders import Address, Order, OrderLine, Party

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
CANARY_KEY = "canary-api-key-0123456789abcdef0123456789"
CANARY_SECRET = "whsec_Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5Y2FuYXJ5"

# --- Connections ----------------------------------------------------------------------------------------


def connection(number=1, **values):
    sane = {
        "name": f"Shop {number}",
        "external_id": f"shop-{number}",
        "odoo_url": "https://odoo.example.com",
        "database": f"shop{number}",
        "username": "poller@example.com",
        "api_key": "0123456789abcdef0123456789abcdef01234567",
        "webhook_url": "https://stockmaster.example.com/hooks/odoo",
        "webhook_secret": SECRET,
    }
    return Connection.objects.create(**sane | values)


def polled(connection, **values):
    sane = {"next_poll_at": NOON, "last_polled_at": NOON, "last_success_at": NOON}
    return PollState.objects.create(connection=connection, **sane | values)


def logged(connection, **values):
    sane = {"started_at": NOON, "finished_at": NOON + timedelta(seconds=2)}
    return SyncLog.objects.create(connection=connection, **sane | values)


def circuit(connection, side="webhook", **values):
    return Circuit.objects.create(connection=connection, side=side, **values)


def found(connection, code, **values):
    """A finding."""
    return Finding.objects.create(
        connection=connection, code=code, **{"since": NOON, "seen_at": NOON} | values
    )


def channel(name="Ops", **values):
    sane = {"kind": "slack", "target": "https://hooks.slack.com/services/T0/B0/x"}
    return AlertChannel.objects.create(name=name, **sane | values)


# --- The ledger -----------------------------------------------------------------------------------------


def version(connection, *, number=1, **values):
    """What every table of the ledger says of a version; `number` tells orders and events apart."""
    sane = {
        "connection": connection,
        "order_id": 40 + number,
        "order_name": f"S{40 + number:05}",
        "version": 1,
        "write_date": NOON - timedelta(hours=1),
        "content_hash": "h" * 64,
    }
    return sane | values


def _event(connection, *, number=1, **values):
    sane = {"event": "order.confirmed", "event_id": f"evt_{connection.pk}_{number}"}
    return version(connection, number=number, **sane | values)


def seen(connection, **values):
    return SeenOrder.objects.create(**version(connection, **{"state": "sale", "seen_at": NOON} | values))


def owing(connection, **values):
    """What `owed` stores; not stored yet."""
    sane = {"body": b'{"order": 1}', "next_retry_at": NOON, "created_at": NOON}
    return RetryItem(**_event(connection, **sane | values))


def owed(connection, **values):
    return _stored(owing(connection, **values))


def known_as(item, **values):
    """What is owed as the newest version of its order; not stored yet."""
    return SeenOrder(**_copied(item, SeenOrder) | {"state": "sale", "seen_at": NOON} | values)


def seen_as(item, **values):
    return _stored(known_as(item, **values))


def sent(connection, **values):
    return SentOrder.objects.create(**_event(connection, **{"sent_at": NOON} | values))


def sent_as(item, **values):
    """What was owed, as if it had been delivered."""
    return SentOrder.objects.create(**_copied(item, SentOrder) | {"sent_at": NOON} | values)


def owed_next(item, **values):
    """The next version of the same order."""
    number = values.get("version", item.version + 1)
    sane = {"version": number, "event": "order.updated", "event_id": f"evt_{number}"}
    return RetryItem.objects.create(**_copied(item, RetryItem) | sane | values)


def tried(item, **values):
    """A try of what is owed, that failed."""
    sane = {"item": item, "number": 1, "started_at": NOON, "duration_ms": 120, "delivered": False}
    copied = _copied(item, DeliveryAttempt)
    for own in ("status", "error_code", "error_detail"):  # of the try, not of what waits
        copied.pop(own)
    return DeliveryAttempt.objects.create(**copied | sane | values)


def _stored(row):
    row.save(force_insert=True)
    return row


def _copied(item, model):
    """The columns that both tables have, without their own keys."""
    names = {field.attname for field in model._meta.concrete_fields} - {"id"}
    return {name: getattr(item, name) for name in names if hasattr(item, name)}


# --- Orders as a source reads them ----------------------------------------------------------------------

ADDRESS = Address(
    street="Av. 1",
    street2="",
    city="Monterrey",
    state="Nuevo León (MX)",
    state_code="NLE",
    zip="64000",
    country="Mexico",
    country_code="MX",
)
CUSTOMER = Party(
    id=50,
    name="Ana",
    company_name="ACME",
    reference="C-1",
    email="ana@example.mx",
    phone="1",
    tax_id="XAXX010101000",
    address=ADDRESS,
)
LINE = OrderLine(
    line_id=70,
    sequence=10,
    product_id=7,
    sku=" A 1 ",
    barcode="750",
    name='Tornillo\n1/2"',
    variant="Color: Rojo, Talla: L",
    quantity=2.38,
    uom="kg",
    unit_price=1.25,
    subtotal=2.98,
    total=3.45,
    discount_percent=12.5,
    product_type="consu",
    is_storable=True,
    is_delivery=None,
    is_downpayment=False,
    is_reward=None,
)
ORDER = Order(
    order_id=26,
    name="S00026",
    state="sale",
    locked=False,
    date_order=datetime(2026, 11, 20, 11, 20, tzinfo=UTC),
    write_date=datetime(2026, 11, 20, 11, 21, 39, tzinfo=UTC),
    commitment_date=None,
    amount_untaxed=46.05578700000001,
    amount_tax=0.0,
    amount_total=46.06,
    currency="USD",
    note="<p>🎁</p>",
    client_order_ref="PO 1",
    origin="",
    warehouse="Main",
    company="My Company",
    salesperson="Mitchell",
    customer=CUSTOMER,
    shipping=replace(CUSTOMER, id=51),
    lines=(LINE,),
    create_date=datetime(2026, 11, 20, 11, 19, 2, tzinfo=UTC),
    company_id=1,
)
