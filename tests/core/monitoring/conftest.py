"""Fixtures of other folders that these tests use too."""

from tests.core.admin.conftest import owe, shop, staff  # noqa: F401 - fixtures
from tests.core.console.conftest import run, web  # noqa: F401 - fixtures
from tests.sync.conftest import make_world, mock, world  # noqa: F401 - fixtures
