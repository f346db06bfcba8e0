"""The admin in a real browser, under its own content policy: a day's work, in both languages, on a phone too.

POLLER_TEST_SCREENSHOTS names a folder that gets a picture of every page, docs/img of ours.
"""

import json
import os
import threading
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.db import connection, connections
from django.utils import timezone
from playwright.sync_api import sync_playwright

from connections.models import Circuit, Connection, Side, pause
from sync import background
from sync.models import PollState, RetryItem, Run, SeenOrder, Status
from tests import factories
from tests.sync.admin.test_timeline import BODY

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
PICTURES = os.environ.get("POLLER_TEST_SCREENSHOTS", "")
SIZES = {"desktop": {"width": 1440, "height": 900}, "phone": {"width": 390, "height": 844}}
WORDS = {
    "en": {
        "cause": "The receiver refuses this order",
        "needs": "What needs a person",
        "waits": "It waits to be delivered",
        "these": "These are 12 orders",
        "running": "0 of 12 orders",
        "paused": "Paused",
        "broken": "It does not work yet",
    },
    "es": {
        "cause": "El receptor rechaza este pedido",
        "needs": "Qué requiere intervención",
        "waits": "Espera a ser entregado",
        "these": "Son 12 pedidos",
        "running": "0 de 12 pedidos",
        "paused": "En pausa",
        "broken": "Todavía no funciona",
    },
}


class Visit:
    """One person at one window. No ORM while it is open: Playwright runs a loop."""

    def __init__(self, page, base, language, size):
        self.page, self.base, self.language, self.size = page, base, language, size
        self.words, self.errors = WORDS[language], []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _heard(self, message):
        if message.type in ("error", "warning"):
            self.errors.append(message.text)

    def sign_in(self):
        self.page.goto(self.base)
        self.look("login")
        self.page.fill("#id_username", "ana")
        self.page.fill("#id_password", "a long password")
        self.page.click("button[type=submit]")

    def go(self, address):
        self.page.goto(self.base + address)

    def reads(self, word):
        self.page.wait_for_selector(f"text={self.words[word]}")

    def press(self, act):
        """A button of the page's head; on a phone, and for rarer acts, behind a menu."""
        button = self.page.locator(f"a[href$='/{act}/']").first
        button.wait_for(state="attached")
        for opener in ("#header-inner a:has-text('more_horiz')", ".poller-menu > summary"):
            found = self.page.locator(opener).first
            if not button.is_visible() and found.is_visible():
                found.click()
        button.click()

    def look(self, name):
        """Nobody is kept out, nothing sticks out, and the picture is kept if it is wanted."""
        self.page.wait_for_timeout(150)
        found = Axe().run(self.page).response["violations"]
        serious = [
            (v["id"], v["nodes"][0]["html"][:200]) for v in found if v["impact"] in ("serious", "critical")
        ]
        assert serious == [], name
        wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert self.page.evaluate(wide) <= 0, name
        if PICTURES:
            file = Path(PICTURES) / f"{name}-{self.size}-{self.language}.png"
            self.page.screenshot(path=str(file))


@contextmanager
def window(chromium, base, language="en", size="desktop", scheme="light"):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*QUIET, "--disable-sync"])
        page = browser.new_page(locale=language, viewport=SIZES[size], color_scheme=scheme)
        visit = Visit(page, base, language, size)
        yield visit
        browser.close()
        assert visit.errors == []


@pytest.fixture(autouse=True)
def brief_connections(monkeypatch):
    """The live server's threads must not keep PostgreSQL's test database open."""
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)


@pytest.fixture
def poller(transactional_db):
    """Somebody does what the pages ask for."""
    leaving = threading.Event()

    def work():
        try:
            while not leaving.wait(0.2):
                background.work_off(seconds=10)
        finally:
            connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    leaving.set()
    thread.join()


@pytest.fixture
def ana(django_user_model):
    return django_user_model.objects.create_superuser("ana", password="a long password")


@pytest.fixture
def morning(ana, shop, owe):
    """An admin with work in it: a shop that fails, one that rests, an outage of twelve orders."""
    now = timezone.now()
    lugo = shop(name="Tienda Lugo", odoo_url="http://127.0.0.1:9", webhook_url="http://127.0.0.1:9/in")
    for number in range(12):
        owe(lugo, 40 + number, created_at=now - timedelta(hours=2, minutes=number))
    failing, resting = shop(name="Tienda Vigo"), shop(name="Tienda Ourense")
    PollState.objects.filter(connection=failing).update(error_code="odoo_timeout")
    pause([resting], by="marta", reason="stocktaking", sides=(Side.WEBHOOK,))
    _sent(lugo, now)
    _story(lugo, now)
    return lugo


def _sent(connection, now):
    PollState.objects.filter(connection=connection).update(started_at=now - timedelta(days=9))
    for number in range(300):
        at = now - timedelta(minutes=(number * number) % 9000)
        written = at - timedelta(seconds=20 + number % 50)
        factories.sent(connection, number=9000 + number, sent_at=at, write_date=written)


def _story(connection, now):
    """Two versions of S00042; the second was refused three times."""
    item = RetryItem.objects.get(connection=connection, order_id=42)
    SeenOrder.objects.filter(connection=connection, order_id=42).update(version=2, reference="WEB-88120")
    RetryItem.objects.filter(pk=item.pk).update(
        status=Status.SENT,
        body=json.dumps(BODY).encode(),
        error_code="",
        created_at=now - timedelta(hours=5),
        closed_at=now - timedelta(hours=5),
    )
    changed = json.loads(json.dumps(BODY))
    changed["shipping_address"]["address"]["city"] = "Vigo"
    changed["items"][0]["quantity"] = 3.0
    item = factories.owed_next(item, body=json.dumps(changed).encode())
    refusal = {"status": 422, "error_code": "receiver_refused"}
    refusal["answer"] = '{"error": "unknown_sku", "sku": "CAM-01"}'
    for number in (1, 2, 3):
        at = now - timedelta(minutes=100 - number)
        factories.tried(item, number=number, started_at=at, duration_ms=140 + number, **refusal)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("language", WORDS)
def test_a_day_in_the_admin(language, size, chromium, live_server, morning):
    with window(chromium, live_server.url, language, size) as visit:
        page = visit.page
        visit.sign_in()
        visit.reads("needs")
        visit.look("home")

        page.fill("[data-poller-search]", "s00042 lugo")
        page.press("[data-poller-search]", "Enter")
        visit.reads("cause")
        visit.look("order")
        visit.press("retry")
        page.click("#dialog button[type=submit]")
        page.wait_for_selector(f"text={visit.words['waits']}")

        visit.go("/admin/sync/run/recover/?what=open")
        visit.reads("these")
        visit.look("recover")
        page.locator("form[method=post] button.poller-button-primary").click()
        page.wait_for_selector("[role=progressbar]")
        visit.reads("running")
        visit.look("run")
        page.click("#run-pause")
        page.wait_for_selector("#run-go")
        visit.reads("paused")
    assert Run.objects.get().wish == "pause"
    assert RetryItem.objects.get(connection=morning, order_id=42, version=2).status == Status.PENDING


@pytest.mark.parametrize("language", WORDS)
def test_a_connection_is_added_and_tested(language, chromium, live_server, morning, poller):
    with window(chromium, live_server.url, language) as visit:
        page = visit.page
        visit.sign_in()
        visit.go(f"/admin/connections/connection/add/?copy={morning.pk}")
        page.fill("#id_external_id", "shop-new")
        page.fill("#id_api_key", "0123456789abcdef0123456789abcdef01234567")
        page.click("[data-poller-try]")
        page.wait_for_selector(f"#tried >> text={visit.words['broken']}")
        visit.look("connection-new")
        page.click("[name=_continue]")
        page.wait_for_selector(".change-form [data-poller-try]")
        visit.look("connection")
        visit.press("test")
        page.click("section[aria-labelledby=test] form button")
        page.wait_for_selector(f"#stages >> text={visit.words['broken']}")
        visit.look("test")
    assert Connection.objects.filter(external_id="shop-new").count() == 1


def test_a_malformed_webhook_secret_is_told_of_while_it_is_typed(chromium, live_server, ana):
    with window(chromium, live_server.url) as visit:
        page = visit.page
        visit.sign_in()
        visit.go("/admin/connections/connection/add/")
        warning = page.locator("#id_webhook_secret_warning")
        for typed, warned in (
            ("whsec_abc", True),
            ("hello", True),
            ("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", False),
            ("whsec_AAAAAAAAAAAAAAAAAAAAAA==", True),
            ("", False),
        ):
            page.fill("#id_webhook_secret", typed)
            assert ("Standard Webhooks library" in warning.inner_text()) is warned, typed
        page.fill("#id_webhook_secret", "hello")
        visit.look("secret")


def test_somebody_signs_in_and_pauses_a_connection(chromium, live_server, ana, shop):
    shop(name="Tienda Lugo")
    with window(chromium, live_server.url) as visit:
        page = visit.page
        visit.sign_in()
        page.click("text=Connections >> nth=0")
        page.click("text=Tienda Lugo")
        visit.press("pause")
        page.fill("#dialog textarea", "stocktaking")
        page.click("#dialog button[type=submit]")
        page.wait_for_selector("text=1 connection is paused.")
        assert "stocktaking" in page.inner_text("body")
    assert Circuit.objects.filter(paused_reason="stocktaking", paused_by="ana").count() == 2


PAGES = {
    "home": "/admin/",
    "connections": "/admin/connections/connection/",
    "orders": "/admin/sync/seenorder/",
    "sent": "/admin/sync/sentorder/",
    "retry-items": "/admin/sync/retryitem/",
    "attempts": "/admin/sync/deliveryattempt/",
    "recoveries": "/admin/sync/run/",
    "logs": "/admin/sync/synclog/",
    "search": "/admin/sync/seenorder/find/?q=s0004",
    "password": "/admin/password_change/",
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nobody_is_kept_out_of_any_page(scheme, chromium, live_server, morning):
    with window(chromium, live_server.url, scheme=scheme) as visit:
        visit.sign_in()
        for name, address in PAGES.items():
            visit.go(address)
            visit.look(name if scheme == "light" else f"{name}-dark")
