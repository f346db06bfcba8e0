"""Fixtures of other folders that these tests use too."""

from tests.core.console.conftest import nobody, odoo, person, receiver, run, shop, web  # noqa: F401 - fixtures
