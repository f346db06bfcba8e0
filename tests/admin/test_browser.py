"""The desk in a real browser, under its own content policy: nothing is blocked, dialogs work."""

from contextlib import contextmanager

import pytest
from django.db import connection
from playwright.sync_api import sync_playwright

from connections.models import Circuit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@contextmanager
def window(chromium):
    """`complaints` is what the console said. No ORM while a window is open: Playwright runs a loop."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=[*QUIET, "--disable-sync"])
        page = browser.new_page(locale="en")
        page.complaints = []
        page.on(
            "console", lambda m: page.complaints.append(m.text) if m.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        yield page
        browser.close()


@pytest.fixture
def brief_connections(monkeypatch):
    """The live server's threads must not keep PostgreSQL's test database open."""
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", 0)


def test_somebody_signs_in_and_pauses_a_connection(
    chromium, brief_connections, live_server, django_user_model, shop
):
    django_user_model.objects.create_superuser("ana", password="a long password")
    shop(name="Tienda Lugo")
    with window(chromium) as page:
        page.goto(live_server.url)
        page.fill("#id_username", "ana")
        page.fill("#id_password", "a long password")
        page.click("button[type=submit]")
        page.click("text=Connections >> nth=0")
        page.click("text=Tienda Lugo")
        page.click("text=Pause")
        page.fill("#dialog textarea", "stocktaking")
        page.click("#dialog button[type=submit]")
        page.wait_for_selector("text=1 connection is paused.")
        assert "stocktaking" in page.inner_text("body")
        assert page.complaints == []
    assert Circuit.objects.filter(paused_reason="stocktaking", paused_by="ana").count() == 2
