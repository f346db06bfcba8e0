"""Customers and goods of a made-up shop: Spanish, English and French, with the odd cases real shops have."""

from dataclasses import dataclass
from random import Random
from typing import Any

from sandbox.odoo.sales import Line
from sandbox.odoo.shop import Shop

_FR, _ES, _MX, _GB, _US = 75, 68, 156, 231, 233

_PEOPLE: list[dict[str, Any]] = [
    {
        "name": "María José Íñiguez Peña", "email": "mj.iniguez@example.mx", "phone": "+52 55 5555 0101",
        "street": "Av. Insurgentes Sur 1602, Int. 4-B", "street2": "Col. Crédito Constructor",
        "city": "Ciudad de México", "zip": "03940", "state_id": 493, "country_id": _MX,
    },
    {
        "name": "Chloé Lefèvre", "email": "chloe@example.fr", "phone": "+33 1 55 55 01 02",
        "street": "12 rue de l’Église", "city": "Lyon", "zip": "69005", "country_id": _FR,
    },
    {
        "name": "Owen O’Brien", "email": "owen@example.co.uk", "phone": "+44 20 5555 0103",
        "street": "7 St John's Wood Rd", "city": "London", "zip": "NW8 8RB", "country_id": _GB,
    },
    {"name": "Ana Belén Núñez", "email": "ana@example.es", "city": "Madrid", "zip": "28013", "state_id": 428,
     "street": "C/ Arenal 9, 3º izda.", "country_id": _ES},
    {"name": "Cliente de mostrador"},
    {"name": "Sólo calle", "street": "S/N", "phone": ""},
]  # fmt: skip

_COMPANIES: list[dict[str, Any]] = [
    {
        "name": "Grupo Ferretero del Norte, S.A. de C.V.", "vat": "GFN850101AB1", "city": "Monterrey",
        "street": "Blvd. Díaz Ordaz 100", "zip": "64650", "state_id": 503, "country_id": _MX,
        "contact": "Lucía Treviño", "delivery": "Almacén 3 (Apodaca)",
    },
    {
        "name": "Boulangerie Désirée & Fils SARL", "vat": "FR40303265045", "city": "Nîmes", "zip": "30000",
        "street": "3 place du Marché", "country_id": _FR, "contact": "Amélie Garçon", "delivery": False,
    },
    {
        "name": "O’Neill <Hardware> Ltd", "vat": "GB123456789", "city": "Leeds", "zip": "LS1 4DY",
        "street": "Unit 5, Canal Works", "country_id": _GB,
        "contact": "Siân Price", "delivery": "Job site #42",
    },
    {
        "name": "Cerámica Muñoz e Hijos, S.L.", "vat": "ESB12345678", "city": "Madrid", "zip": "28045",
        "street": "Pol. Ind. La Dehesa, nave 12", "state_id": 428, "country_id": _ES,
        "contact": "Íñigo Muñoz", "delivery": "Nave 14",
    },
]  # fmt: skip

_GOODS: list[dict[str, Any]] = [
    {
        "name": 'Tornillo hexagonal 1/2" Ñandú',
        "code": "TOR-HEX-12",
        "barcode": "7501031311309",
        "price": 1.25,
    },
    {"name": "Café de olla 500 g", "barcode": "7501055300068", "price": 8.9},
    {"name": "Muestra sin referencia", "price": 3.0},
    {"name": "Lámpara de pie “Nórdica”", "code": "LAM-01", "price": 129.0},
    {"name": "Boîte à pain en érable", "code": "PAIN-ÉR", "price": 42.5},
    {"name": 'Cable <2m> & "USB-C"', "code": 'CBL<2>&"C"', "price": 7.5},
    {"name": "Queso Oaxaca (granel)", "code": "QUESO-KG", "price": 11.4, "uom_id": 12},
    {"name": "🎁 Gift box", "code": "GIFT-🎁", "price": 49.99},
    {"name": "Code with blanks", "code": " SKU 001 / A ", "price": 12.0},
    {"name": "Instalación y puesta en marcha", "code": "SRV-INST", "price": 150.0, "kind": "service"},
]
_NOTES = [
    False,
    False,
    '<p>Entregar <b>antes</b> de las 5&nbsp;pm &amp; avisar<br>Tel: <a href="tel:555">555</a></p>',
    "<p>Leave with the neighbour at <i>no. 9</i></p><ul><li>Fragile ⚠️</li></ul>",
    "<p>Sonner deux fois, code d’entrée 41&nbsp;B</p>",
]


@dataclass(frozen=True)
class Stock:
    """What can be sold and to whom: (customer, delivery address) ids, and product ids."""

    customers: list[tuple[int, int]]
    products: list[int]


def furnish(shop: Shop) -> Stock:
    """Put the customers and goods into a shop."""
    customers = [(each, each) for each in (shop.add_partner(**facts) for facts in _PEOPLE)]
    for facts in _COMPANIES:
        customers += _company(shop, dict(facts))
    products = [shop.add_product(**facts) for facts in _GOODS]
    colours = {"Color": ["Rojo", "Azul marino", "Verde"], "Talla": ["S", "M", "L"]}
    products += shop.add_variants("Camiseta orgánica", colours, code="CAM", price=19.9)
    products += shop.add_variants("Mug émaillé", {"Colour": ["White", "Black"]}, code="MUG", price=14.0)
    return Stock(customers, products)


def _company(shop: Shop, facts: dict[str, Any]) -> list[tuple[int, int]]:
    """A company, its buyer and its delivery address (nameless where `delivery` is False)."""
    contact, delivery = facts.pop("contact"), facts.pop("delivery")
    company = shop.add_partner(**facts, is_company=True)
    shared = {name: facts[name] for name in ("vat", "city", "zip", "country_id")}
    buyer = shop.add_partner(contact, parent_id=company, **shared, email="orders@example.com")
    address = shop.add_partner(delivery, parent_id=company, **shared, type="delivery", street="Dock 2")
    return [(company, company), (buyer, address)]


def random_order(random: Random, stock: Stock) -> tuple[int, list[Line], dict[str, Any]]:
    """Customer, lines and further fields of one order, the way `Shop.quotation` takes them."""
    customer, address = random.choice(stock.customers)
    lines = [_random_line(random, stock) for _ in range(random.randint(1, 5))]
    if random.random() < 0.15:
        lines.insert(0, Line(name="Primera entrega", display_type="line_section"))
        lines.append(Line(name="Nota: manejar con cuidado 📦", display_type="line_note"))
    values: dict[str, Any] = {"partner_shipping_id": address, "note": random.choice(_NOTES)}
    if random.random() < 0.4:
        values["client_order_ref"] = f"OC-{random.randint(1000, 99999)}"
    return customer, lines, values


def _random_line(random: Random, stock: Stock) -> Line:
    quantity = random.choice([1, 1, 1, 2, 3, 5, 10, 0.5, 24])
    discount = random.choice([0.0, 0.0, 0.0, 0.0, 10.0, 33.33])
    return Line(random.choice(stock.products), quantity, discount=discount)
