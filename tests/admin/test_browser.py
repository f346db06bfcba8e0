"""The desk in a real browser, under its own content policy: nothing is blocked, dialogs work."""

import os

import pytest
from playwright.sync_api import sync_playwright

from connections.models import Circuit

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@pytest.fixture
def window(chromium, monkeypatch):
    """A window of the browser, and what its console complained about."""
    # Playwright keeps an event loop in this thread; the ORM is used from it one statement after the other.
    monkeypatch.setitem(os.environ, "DJANGO_ALLOW_ASYNC_UNSAFE", "1")
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


def test_somebody_signs_in_and_pauses_a_connection(window, live_server, django_user_model, shop):
    django_user_model.objects.create_superuser("ana", password="a long password")
    shop(name="Tienda Lugo")
    window.goto(live_server.url)
    window.fill("#id_username", "ana")
    window.fill("#id_password", "a long password")
    window.click("button[type=submit]")
    window.click("text=Connections >> nth=0")
    window.click("text=Tienda Lugo")
    window.click("text=Pause")
    window.fill("#dialog textarea", "stocktaking")
    window.click("#dialog button[type=submit]")
    window.wait_for_selector("text=1 connection is paused.")
    assert "stocktaking" in window.inner_text("body")
    assert window.complaints == []
    assert Circuit.objects.filter(paused_reason="stocktaking", paused_by="ana").count() == 2
