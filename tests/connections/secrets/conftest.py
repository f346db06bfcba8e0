"""Fixtures of other folders that these tests use too."""

from tests.sync.conftest import mock  # noqa: F401 - fixtures
