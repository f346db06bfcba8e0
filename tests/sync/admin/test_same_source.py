"""The same source twice: the form warns and lets it through."""

from connections.models import Connection
from tests.core.admin.conftest import said
from tests.sync.admin.test_connection_page import ADD, page, typed

SAID = "Each arrives twice, under two connection ids"


def test_adding_and_editing_warn(admin_client):
    assert SAID not in said(admin_client.post(ADD, typed(), follow=True))
    second = typed(name="Second", external_id="sm-43")
    response = admin_client.post(ADD, second, follow=True)
    assert SAID in said(response) and "Shop Madrid" in said(response)
    stored = Connection.objects.get(name="Second")
    assert SAID in said(admin_client.post(page(stored), typed(stored, name="Third"), follow=True))
    apart = typed(stored, name="Third", company_id=3, events=["order.updated"])
    Connection.objects.filter(name="Shop Madrid").update(company_id=4)
    assert SAID not in said(admin_client.post(page(stored), apart, follow=True))


def test_one_that_is_switched_off_sends_nothing(admin_client):
    admin_client.post(ADD, typed())
    response = admin_client.post(ADD, typed(name="Second", external_id="sm-43", enabled=False), follow=True)
    assert SAID not in said(response) and Connection.objects.count() == 2
