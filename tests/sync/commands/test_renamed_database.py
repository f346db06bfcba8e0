"""A renamed database in commands: shown, out as YAML and in again."""

import pytest

from connections.models import Connection
from sync.models import PollState
from tests.conftest import NOON
from tests.factories import polled

pytestmark = pytest.mark.django_db


@pytest.fixture
def renamed(shop):
    polled(shop, started_at=NOON)
    former, shop.database = shop.database, "new-name"
    shop.save()
    shop.former = former
    return shop


def test_it_is_shown_where_it_differs(run, renamed, make_connection):
    make_connection(name="Another")
    rows = {row["name"]: row for row in run("connections", "--json").json}
    assert rows["Shop Madrid"]["database"] == "new-name"
    assert rows["Shop Madrid"]["database_in_ids"] == renamed.former
    assert rows["Another"]["database_in_ids"] == rows["Another"]["database"]
    table = run("connections").out
    assert f"“Shop Madrid”: its ids keep the database's former name, {renamed.former}." in table
    assert "“Another”" not in table


def import_into_nothing(run, text, tmp_path, **changes):
    """The file in an installation that has no such connection."""
    file = tmp_path / "shops.yaml"
    for before, after in changes.items():
        text = text.replace(before, after)
    file.write_text(text)
    Connection.objects.all().delete()
    key = "--key=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
    return run("importconnections", str(file), key)


def whole(run):
    key = "--key=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
    return run("exportconnections", "--with-secrets", key).out


def test_it_goes_to_another_installation(run, renamed, tmp_path):
    text = whole(run)
    assert f"ids_database: {renamed.former}" in text
    assert import_into_nothing(run, text, tmp_path).error == ""
    moved = Connection.objects.get()
    assert (moved.database, moved.database_in_ids) == ("new-name", renamed.former)
    PollState.objects.create(connection=moved, next_poll_at=NOON, started_at=NOON)
    moved.save()
    assert Connection.objects.get().database_in_ids == renamed.former


def test_it_is_left_out_where_it_is_the_same(run, shop, tmp_path):
    text = whole(run)
    assert "ids_database" not in text
    assert (
        import_into_nothing(run, text, tmp_path, **{f"database: {shop.database}": "database: x"}).error == ""
    )
    assert Connection.objects.get().database_in_ids == "x"


def test_an_installation_that_has_begun_keeps_its_own(run, renamed, tmp_path):
    file = tmp_path / "shops.yaml"
    text = run("exportconnections").out
    file.write_text(text.replace(f"ids_database: {renamed.former}", "ids_database: another"))
    printed = run("importconnections", str(file))
    assert "Shop Madrid" in printed.error and f"“{renamed.former}”" in printed.error
    file.write_text("".join(line for line in text.splitlines(True) if "ids_database" not in line))
    assert "as it was" in run("importconnections", str(file)).out
    assert Connection.objects.get().database_in_ids == renamed.former
