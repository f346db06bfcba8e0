"""What an order shows: once out of the shop's own rows, once out of the body a receiver got."""

from datetime import UTC


def in_shop(shop, order_id):
    """The newest committed content of an order that the receiver has to have."""
    tables = shop.world.tables
    order = tables["sale.order"][order_id]
    customer = tables["res.partner"][order["partner_id"]]
    shipping = tables["res.partner"][order["partner_shipping_id"]]
    lines = [
        line for line in shop.lines(order_id) if line.get("product_uom_qty") and not line.get("display_type")
    ]
    return {
        "state": "cancel" if order["state"] == "cancel" else "sale",
        "note": order.get("note") or "",
        "reference": order.get("client_order_ref") or "",
        "promised": _moment(order.get("commitment_date")),
        "ordered": _moment(order.get("date_order")),
        "total": order.get("amount_total"),
        "customer": (
            customer["id"],
            customer["name"],
            customer.get("street") or "",
            customer.get("city") or "",
        ),
        "shipping": (
            shipping["id"],
            shipping["name"],
            shipping.get("street") or "",
            shipping.get("city") or "",
        ),
        "lines": sorted(_line(line) for line in lines),
    }


def in_body(body):
    """The same out of an event."""
    order = body["order"]
    return {
        "state": "cancel" if order["state"] == "cancel" else "sale",
        "note": order["note"],
        "reference": order["client_order_ref"],
        "promised": order["commitment_date"],
        "ordered": order["date_order"],
        "total": order["amount_total"],
        "customer": _party(body["customer"]),
        "shipping": _party(body["shipping_address"]),
        "lines": [
            (
                item["sequence"],
                item["line_id"],
                item["name"],
                item["quantity"],
                item["unit_price"],
                item["discount_percent"],
            )
            for item in body["items"]
        ],
    }


def _line(line):
    return (
        line["sequence"],
        line["id"],
        line["name"],
        line["product_uom_qty"],
        line["price_unit"],
        line["discount"],
    )


def _party(party):
    return (party["id"], party["name"], party["address"]["street"], party["address"]["city"])


def _moment(moment):
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S") if moment else None
