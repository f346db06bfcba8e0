"""What was looked for and found: on its own pages, on the first page, and on its connection's page."""

from django.urls import reverse
from django.utils import timezone

from sync.models import Reconciliation, SeenOrder
from tests import factories


def found(connection, code, detail=""):
    now = timezone.now()
    return factories.found(connection, code, detail=detail, since=now, seen_at=now)


def test_what_nothing_else_tells_is_told(admin_client, shop):
    connection = shop(name="Tienda Lugo")
    found(connection, "odoo_key_expires_soon", "2026-12-01")
    found(connection, "polls_fail", "shown by its standing")
    found(None, "leases_not_returned", "3")
    first = admin_client.get(reverse("admin:index")).content.decode()
    assert "A key of this user expires soon" in first and "2026-12-01" in first and "Tienda Lugo" in first
    assert "The poller itself" in first and "A worker died" in first
    own = admin_client.get(
        reverse("admin:connections_connection_change", args=[connection.pk])
    ).content.decode()
    assert "A key of this user expires soon" in own and "A worker died" not in own
    assert "shown by its standing" not in first + own


def test_findings_of_the_poller_itself_are_listed_too(admin_client, db):
    row = found(None, "leases_not_returned", "3")
    html = admin_client.get(reverse("admin:core_finding_changelist")).content.decode()
    assert "the poller itself" in html and "A worker died" in html
    assert admin_client.get(reverse("admin:core_finding_change", args=[row.pk])).status_code == 200


def test_a_comparison_leads_to_the_orders_that_differ(admin_client, shop, owe):
    connection = shop()
    owe(connection, 7)
    row = Reconciliation.objects.create(
        connection=connection,
        since=timezone.now(),
        requested_at=timezone.now(),
        progress="done",
        counts={"stale": 1, "missing": 0},
        differences=[{"order_id": 7, "order": "S00007", "verdict": "stale"}],
    )
    html = admin_client.get(reverse("admin:sync_reconciliation_change", args=[row.pk])).content.decode()
    assert "stale: 1" in html and "missing" not in html
    seen = reverse("admin:sync_seenorder_changelist") + f"?connection__id__exact={connection.pk}&order_id=7"
    assert seen.replace("&", "&amp;") in html
    assert list(admin_client.get(seen).context["cl"].result_list) == [SeenOrder.objects.get()]
