"""Fixtures of other folders that these tests use too."""

from tests.sync.conftest import make_world, mock  # noqa: F401 - fixtures
