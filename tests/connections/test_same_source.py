"""Which connections send the same orders twice, however their addresses are written."""

import pytest

from connections import same_source

ONE = {
    "odoo_url": "https://odoo.example.com",
    "database": "shop",
    "webhook_url": "https://sm.example.com/hooks/odoo?shop=1",
}


@pytest.fixture
def pair(make_connection):
    """Two connections; the second differs from the first in these values."""
    return lambda first=None, **second: (
        make_connection(**ONE | (first or {})),
        make_connection(**ONE | (first or {}) | second),
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {}),
        ({}, {"odoo_url": "https://ODOO.example.com/"}),
        ({}, {"odoo_url": "https://odoo.example.com:443"}),
        ({}, {"odoo_url": "https://odoo.example.com."}),
        ({}, {"odoo_url": "http://odoo.example.com"}),
        ({"odoo_url": "https://tienda-ñandú.es"}, {"odoo_url": "https://xn--tienda-and-z9a5i.es"}),
        ({"odoo_url": "http://10.0.0.5:8069"}, {"username": "another", "protocol": "json2"}),
        ({}, {"webhook_url": "https://SM.example.com:443/hooks/odoo/?shop=1"}),
        ({}, {"company_id": 3}),
        ({"company_id": 3}, {"company_id": None}),
        ({"company_id": 3}, {}),
        ({}, {"events": ["order.confirmed"]}),
    ],
)
def test_each_order_arrives_twice(pair, first, second):
    one, other = pair(first, **second)
    assert same_source.doubles_of(one) == [other] and same_source.doubles_of(other) == [one]
    assert dict(same_source.doubles()) == {one: [other], other: [one]}
    assert f"as: {other.name}." in same_source.warning(one)
    assert "twice" in same_source.warning(other)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({}, {"database": "Shop"}),
        ({}, {"odoo_url": "https://other.example.com"}),
        ({}, {"odoo_url": "https://odoo.example.com:8443"}),
        ({}, {"webhook_url": "https://sm.example.com/hooks/odoo?shop=2"}),
        ({}, {"webhook_url": "https://sm.example.com/Hooks/odoo?shop=1"}),
        ({}, {"webhook_url": "https://sm.example.com:8443/hooks/odoo?shop=1"}),
        ({"company_id": 3}, {"company_id": 4}),
        ({"events": ["order.confirmed"]}, {"events": ["order.updated", "order.cancelled"]}),
        ({}, {"enabled": False}),
    ],
)
def test_it_arrives_once(pair, first, second):
    one, other = pair(first, **second)
    assert dict(same_source.doubles()) == {}
    assert same_source.warning(one) == same_source.warning(other) == ""
    assert same_source.doubles_of(one) == []


def test_one_that_is_switched_off_is_looked_at_as_if_it_were_on(pair):
    one, other = pair(enabled=False)
    assert same_source.doubles_of(other) == [one]


def test_one_that_is_not_stored_yet(pair):
    one, other = pair()
    fresh = type(one)(**ONE, name="Fresh")
    assert same_source.doubles_of(fresh) == [one, other]


def test_three_and_very_many(make_connection):
    for number in range(7):
        make_connection(**ONE | {"company_id": None if number == 0 else number})
    found = {connection.company_id: others for connection, others in same_source.doubles()}
    assert len(found) == 7
    assert [other.company_id for other in found[3]] == [None]
    assert same_source.named(found[None]) == "Shop 2, Shop 3, Shop 4, Shop 5, Shop 6 …"


def test_one_statement_whatever_their_number(make_connection, django_assert_num_queries):
    for number in range(20):
        make_connection(**ONE | {"database": f"shop{number // 2}"})
    with django_assert_num_queries(1):
        assert len(list(same_source.doubles())) == 20
