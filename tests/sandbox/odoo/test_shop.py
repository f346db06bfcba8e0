"""Transactions, and what moves an order's write_date."""

import pytest

from sandbox.odoo.errors import OdooError
from sandbox.odoo.sales import Line
from sandbox.odoo.shop import Shop

AT_START = "2026-11-20 10:00:00"


def test_a_commit_shows_a_stamp_from_its_begin(shop, call, watch):
    tx = shop.begin()
    late = shop.sell(tx=tx)
    watch.go(2)
    early = shop.sell()
    assert call.ids() == [early]
    watch.go(30)
    tx.commit()
    assert call.ids() == [late, early]
    assert call.written(late) == AT_START
    assert call.written(early) == "2026-11-20 10:00:02"


def test_a_rolled_back_transaction_leaves_nothing_but_a_gap_in_the_ids(shop, call):
    with pytest.raises(ZeroDivisionError), shop.begin() as tx:
        shop.sell(tx=tx)
        raise ZeroDivisionError
    assert call.ids() == []
    assert shop.sell() == 2


def test_a_transaction_sees_itself(shop):
    with shop.begin() as tx:
        order_id = shop.sell(lines=[Line(shop.product_id, 4)], tx=tx)
        [line_id] = tx.children("sale.order.line", "order_id", order_id)
        shop.change_line(line_id, quantity=2, tx=tx)
        assert tx.get("sale.order", order_id)["amount_untaxed"] == 2.5
    assert shop.order(order_id)["amount_total"] == 2.9


def test_a_transaction_ends_once(shop):
    tx = shop.begin()
    tx.commit()
    with pytest.raises(RuntimeError):
        tx.commit()


def test_a_conflict_is_done_again_with_a_new_stamp(shop, call, watch):
    order_id = shop.sell()
    tx = shop.begin()
    shop.edit_order(order_id, client_order_ref="late", tx=tx)
    watch.go(5)
    shop.touch(order_id)
    watch.go(5)
    tx.commit()
    assert call.written(order_id) == "2026-11-20 10:00:10"


MOVES = {
    "touch": lambda shop, order, line: shop.touch(order),
    "change_line": lambda shop, order, line: shop.change_line(line, quantity=7),
    "add_line": lambda shop, order, line: shop.add_line(order, Line(name="Nota", display_type="line_note")),
    "remove_line": lambda shop, order, line: shop.remove_line(line),
    "lock": lambda shop, order, line: shop.lock(order),
    "cancel": lambda shop, order, line: shop.cancel(order),
}
STAYS = {
    "line text": lambda shop, order, line: shop.edit_line_silently(line, name="Otro texto"),
    "line sequence": lambda shop, order, line: shop.edit_line_silently(line, sequence=99),
    "customer": lambda shop, order, line: shop.edit_partner(shop.customer_id, street="Otra calle 1"),
}


@pytest.mark.parametrize(("change", "moves"), [(c, True) for c in MOVES] + [(c, False) for c in STAYS])
def test_what_moves_write_date(shop, call, watch, change, moves):
    order_id = shop.sell()
    [line] = shop.lines(order_id)
    watch.go(60)
    (MOVES | STAYS)[change](shop, order_id, line["id"])
    assert call.written(order_id) == ("2026-11-20 10:01:00" if moves else AT_START)


def test_totals(shop):
    lines = [
        Line(shop.product_id, 3, discount=10),
        Line(shop.product_id, 2, price=9.99),
        Line(name="Sección", display_type="line_section"),
        Line(name="Anticipo", price=-5.0, tax_ids=()),
    ]
    order = shop.order(shop.sell(lines=lines))
    assert (order["amount_untaxed"], order["amount_tax"], order["amount_total"]) == (18.36, 3.74, 22.1)


def test_locked_is_a_state_on_16_and_a_flag_later(shop, call, version):
    order_id = shop.sell()
    shop.lock(order_id)
    assert shop.is_locked(shop.order(order_id))
    fields = ["state"] if version == 16 else ["state", "locked"]
    [row] = call("sale.order", "read", [order_id], fields)
    assert row.pop("id") == order_id
    assert row == ({"state": "done"} if version == 16 else {"state": "sale", "locked": True})
    with pytest.raises(OdooError):
        shop.cancel(order_id)
    shop.unlock(order_id)
    shop.cancel(order_id)
    assert shop.order(order_id)["state"] == "cancel"


def test_only_a_cancelled_order_can_be_deleted(shop, call):
    order_id = shop.sell()
    with pytest.raises(OdooError):
        shop.unlink(order_id)
    shop.cancel(order_id)
    shop.unlink(order_id)
    assert call.ids() == []
    assert shop.lines(order_id) == []


def test_a_cancelled_order_can_be_confirmed_again(shop):
    order_id = shop.sell()
    shop.cancel(order_id)
    with pytest.raises(OdooError):
        shop.confirm(order_id)
    shop.back_to_draft(order_id)
    shop.confirm(order_id)
    assert shop.order(order_id)["state"] == "sale"


def test_variants_have_names_as_in_odoo(shop, call):
    ids = shop.add_variants("Camiseta", {"Color": ["Rojo", "Azul"], "Talla": ["L"]}, code="CAM", price=19.9)
    rows = call("product.product", "read", ids, ["display_name", "lst_price"])
    assert [row["display_name"] for row in rows] == [
        "[CAM-1] Camiseta (Rojo, L)",
        "[CAM-2] Camiseta (Azul, L)",
    ]
    values = call("product.template.attribute.value", "search_read", [], ["display_name"], order="id")
    assert [row["display_name"] for row in values] == ["Color: Rojo", "Color: Azul", "Talla: L"]


def test_fields_differ_per_version(call, version):
    lines = call("sale.order.line", "fields_get", ["product_uom", "product_uom_id", "tax_id", "tax_ids"])
    partner = call("res.partner", "fields_get", ["mobile"])
    order = call("sale.order", "fields_get", ["locked", "delivery_status"])
    assert set(lines) == ({"product_uom_id", "tax_ids"} if version == 19 else {"product_uom", "tax_id"})
    assert set(partner) == (set() if version == 19 else {"mobile"})
    assert set(order) == ({"delivery_status"} if version == 16 else {"locked", "delivery_status"})


def test_a_module_brings_its_fields(watch):
    plain, with_delivery = (Shop(17, "shop", watch, modules=frozenset(each)) for each in ([], ["delivery"]))
    assert "is_delivery" not in plain.reader.fields("sale.order.line")
    assert "is_delivery" in with_delivery.reader.fields("sale.order.line")


def test_an_unknown_version_is_refused(watch):
    with pytest.raises(ValueError, match="16 to 19"):
        Shop(15, "shop", watch)


def test_names_that_odoo_composes(shop, call, version):
    company = shop.add_partner("Grupo Norte", is_company=True, vat="GN1")
    buyer = shop.add_partner("Lucía", parent_id=company)
    dock = shop.add_partner(False, parent_id=company, type="delivery")
    rows = call("res.partner", "read", [buyer, dock], ["display_name", "commercial_partner_id", "name"])
    label = "Delivery" if version == 19 else "Delivery Address"
    assert [row["display_name"] for row in rows] == ["Grupo Norte, Lucía", f"Grupo Norte, {label}"]
    assert [row["commercial_partner_id"] for row in rows] == [[company, "Grupo Norte"]] * 2
    assert rows[1]["name"] is False
    order_id = shop.sell(buyer, [Line(shop.product_id), Line(name="Caja\nde dos")])
    names = call("sale.order.line", "search_read", [["order_id", "=", order_id]], ["display_name"])
    assert [row["display_name"] for row in names] == [
        "S00001 - [TOR-12] Tornillo hexagonal (Grupo Norte, Lucía)",
        "S00001 - Caja (Grupo Norte, Lucía)",
    ]
    [template] = call("product.template", "search_read", [], ["product_variant_ids", "product_variant_count"])
    assert (template["product_variant_ids"], template["product_variant_count"]) == ([shop.product_id], 1)


def test_what_is_not_there_cannot_be_changed(shop):
    for change in (shop.touch, shop.confirm, shop.cancel, shop.remove_line, shop.change_line):
        with pytest.raises(KeyError):
            change(99)
