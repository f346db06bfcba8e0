"""An order that means harm, in a real browser: on no page does it run, load, turn or burst anything."""

from datetime import timedelta

import pytest
import responses
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from sandbox.http.answer import Answer
from sandbox.odoo.sales import Line
from sync.models import DeliveryAttempt, RetryItem, SeenOrder
from tests.browser.test_pages import SIZES, ana, brief_connections, window  # noqa: F401 - fixtures
from tests.conftest import Clock
from tests.world import World

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

SCRIPT = "<script>document.title='broken into';alert(1)</script>"
MARKUP = (
    "\"'><img src=x onerror=alert(2)><svg/onload=alert(3)>{{7*7}}</pre></textarea><a href=javascript:f()>"
)
CONTROLS = "\x07\x1b[2J\u202eesrever\u2066\u200f\u2028"
WIDE = "W" * 3000
FORMULA = '=HYPERLINK("http://evil.example")'
ANSWER = SCRIPT + MARKUP + CONTROLS + WIDE


@pytest.fixture
def harm(db, settings):
    """One order with harm in everything, refused by a receiver that answers with more; its name is short."""
    settings.ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        world = World(Clock(timezone.now() - timedelta(minutes=9)), mock, 17, name=f"Shop {MARKUP}"[:100])
        world.poll()
        world.clock.advance(60)
        world.receive = lambda *request: Answer(422, ANSWER.encode(), {"Content-Type": "text/html"})
        customer = world.shop.add_partner(
            SCRIPT + MARKUP, email=f"{MARKUP}@x", street=CONTROLS + WIDE, city=FORMULA
        )
        order_id = world.shop.quotation(
            customer,
            [Line(world.shop.product_id, quantity=1, name=FORMULA + SCRIPT)],
            note=SCRIPT + MARKUP + CONTROLS + "n" * 5_000_000,
            client_order_ref=(MARKUP + CONTROLS)[:200],
            name=(SCRIPT + CONTROLS)[:90],
        )
        world.shop.confirm(order_id)
        world.wait(minutes=5)
    item = RetryItem.objects.get(order_id=order_id)
    assert len(bytes(item.body)) > 5_000_000
    assert DeliveryAttempt.objects.filter(status=422).exists()
    return item


def pages(item):
    """Every list, and the page of every row that has to do with the order."""
    yield reverse("admin:index")
    yield reverse("admin:index") + "?q=" + "%3Cscript%3Ealert(5)%3C/script%3E"
    for model in admin.site._registry:
        if model._meta.app_label in ("connections", "core", "sync"):
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
            yield reverse(f"{name}_changelist")
            for pk in list(model.objects.values_list("pk", flat=True)[:1]):
                yield reverse(f"{name}_change", args=[pk])
    seen = SeenOrder.objects.get(order_id=item.order_id)
    yield reverse("admin:order", args=[seen.connection_id, seen.order_id])


@pytest.mark.parametrize(("language", "size"), [("en", "desktop"), ("es", "phone")])
def test_a_hostile_order_is_text_on_every_page(language, size, chromium, live_server, ana, harm):  # noqa: F811
    addresses = list(pages(harm))
    with window(chromium, live_server.url, language, size) as visit:
        page, dialogs, asked = visit.page, [], set()
        page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: asked.add(request.url))
        visit.sign_in()
        for address in addresses:
            visit.go(address)
            page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
            assert page.title() != "broken into", address
            assert page.locator("img[src='x'], svg[onload]").count() == 0, address
            wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert page.evaluate(wide) <= 0, address
            assert not set(page.inner_text("body")) & set("\u202e\u2066\x1b\x07"), address
        assert dialogs == []
        assert {url for url in asked if not url.startswith((live_server.url, "data:", "blob:"))} == set()
