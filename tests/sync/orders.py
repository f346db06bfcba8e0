"""One whole order, for tests to change."""

from dataclasses import replace
from datetime import UTC, datetime

from sync.orders import Address, Order, OrderLine, Party

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
