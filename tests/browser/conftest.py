"""Fixtures of other folders that these tests use too."""

from tests.core.admin.conftest import owe, shop  # noqa: F401 - fixtures
