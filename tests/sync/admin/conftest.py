"""Fixtures of other folders that these tests use too."""

from tests.core.admin.conftest import fill, owe, shop, staff  # noqa: F401 - fixtures
