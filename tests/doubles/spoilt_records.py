"""Recorded Odoos of which one record is spoilt, read nested and in classic calls."""

import pytest

from tests.doubles.recorded_odoo import RecordedOdoo, Server

ASKED = (25, 27, 31)
BAD = 27


def classic():
    odoo = RecordedOdoo(19)
    odoo.server = Server(16, odoo.server.fields, odoo.server.identity)
    return odoo


def nested():
    return RecordedOdoo(19)


BOTH = pytest.mark.parametrize("make", [nested, classic])


def spoil_nested(record, model, record_id, field, value):
    """Put the value where the nested answer shows that record."""
    if model == "sale.order" and record["id"] == record_id:
        record[field] = value
    parties = [record["partner_id"], record["partner_shipping_id"]]
    lines = record["order_line"] if isinstance(record["order_line"], list) else []
    products = [line["product_id"] for line in lines if isinstance(line, dict)]
    places = {"res.partner": parties, "sale.order.line": lines, "product.product": products}
    for place in places.get(model, []):
        if isinstance(place, dict) and place.get("id") == record_id:
            place[field] = value


def spoilt_nested(model, record_id, field, value):
    odoo = RecordedOdoo(19)
    ask = odoo.web_search_read

    def answer(*args, **kwargs):
        found = ask(*args, **kwargs)
        for record in found:
            spoil_nested(record, model, record_id, field, value)
        return found

    odoo.web_search_read = answer
    return odoo


def spoilt_classic(model, record_id, field, value):
    odoo = classic()
    odoo.read = spoiling(odoo.read, model, record_id, field, value)
    odoo.search_read = spoiling(odoo.search_read, model, record_id, field, value)
    return odoo


def spoiling(verb, model, record_id, field, value):
    def answer(asked_model, **kwargs):
        found = verb(asked_model, **kwargs)
        for record in found:
            if asked_model == model and record["id"] == record_id:
                record[field] = value
        return found

    return answer


SPOILING = pytest.mark.parametrize("spoil", [spoilt_nested, spoilt_classic], ids=["nested", "classic"])
