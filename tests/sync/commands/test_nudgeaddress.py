"""nudgeaddress: shown, kept, renewed on demand."""

import pytest

from sync.models import NudgeToken

pytestmark = pytest.mark.django_db


def test_the_address_stays_until_it_is_renewed(run, shop, settings):
    settings.CSRF_TRUSTED_ORIGINS = ["https://poller.example.com"]
    first = run("nudgeaddress", str(shop.pk)).out.strip()
    assert first.startswith("https://poller.example.com/nudge/") and first.endswith("/")
    assert run("nudgeaddress", shop.name).out.strip() == first
    assert run("nudgeaddress", shop.name, "--renew").out.strip() != first
    assert NudgeToken.objects.count() == 1


def test_without_a_public_host_it_is_this_one(run, shop):
    assert run("nudgeaddress", shop.name).out.startswith("http://127.0.0.1:8000/nudge/")
