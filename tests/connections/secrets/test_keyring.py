"""Encryption keys change on a live system: nothing is lost, left behind, or dropped too early."""

import os
import subprocess
import sys

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError
from django.db import connection as database

from connections.models import Connection, RetiredSecret
from connections.secrets import keyring
from connections.secrets.keyring import KeyRing, require_readable_secrets, usage, vaults
from tests.conftest import NOON, ROOT
from tests.core.console.conftest import run  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db
OLD, NEW, OTHER = (Fernet.generate_key().decode() for _ in range(3))


@pytest.fixture
def use(settings):
    """Go on with these keys, as after a restart."""

    def forget():
        for vault in vaults():
            for field in vault.fields:
                for name in ("keys", "fernet_keys", "fernet"):
                    field.__dict__.pop(name, None)

    def use(*given):
        settings.ENCRYPTION_KEYS = settings.FERNET_KEYS = list(given)
        forget()

    yield use
    forget()


@pytest.fixture
def shops(use, make_connection):
    """Three shops written with the old key, one of them in the middle of a rotation."""
    use(OLD)
    made = [make_connection(name=f"Shop {n}", api_key=f"key-{n}", webhook_secret=f"s-{n}") for n in range(3)]
    made[0].retired_secrets.create(secret="older", valid_until=NOON, retired_at=NOON)
    use(NEW, OLD)
    return made


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(keyring, "BATCH", 1)


def secrets():
    shown = {(c.api_key.reveal(), c.webhook_secret.reveal()) for c in Connection.objects.all()}
    return shown | {old.secret.reveal() for old in RetiredSecret.objects.all()}


ALL = {("key-0", "s-0"), ("key-1", "s-1"), ("key-2", "s-2"), "older"}


def counts():
    return dict(usage(KeyRing()).counts)


def test_every_encrypted_column_is_known():
    assert {(v.model.__name__, f.name) for v in vaults() for f in v.fields} >= {
        ("Connection", "api_key"),
        ("Connection", "webhook_secret"),
        ("RetiredSecret", "secret"),
    }


def test_all_secrets_come_under_the_first_key(run, shops, use):  # noqa: F811
    before = list(Connection.objects.order_by("pk").values("pk", "name", "updated_at"))
    printed = run("rotatekeys")
    assert printed.code == 0 and "7 secrets written anew." in printed.out
    assert "The others can be dropped" in printed.out
    assert list(Connection.objects.order_by("pk").values("pk", "name", "updated_at")) == before
    use(NEW)
    assert secrets() == ALL


def test_nothing_that_can_be_read_is_printed(run, shops):  # noqa: F811
    for line in (["--check"], ["--dry-run"], ["--check", "--json"], []):
        said = run("rotatekeys", *line).all
        assert not any(word in said for word in (OLD, NEW, "key-0", "s-0", "older"))


def test_check_says_which_key_is_in_use_and_ends_with_1_while_an_old_one_is(run, shops):  # noqa: F811
    printed = run("rotatekeys", "--check", "--json")
    assert [(row["position"], row["secrets"]) for row in printed.json["keys"]] == [(1, 0), (2, 7)]
    assert printed.code == 1 and "An old key is still in use" in printed.error
    run("rotatekeys")
    printed = run("rotatekeys", "--check")
    assert printed.code == 0 and "Every secret is under the first key." in printed.out


def test_a_dry_run_changes_nothing(run, shops):  # noqa: F811
    printed = run("rotatekeys", "--dry-run")
    assert printed.code == 0 and "7 secrets would be written anew." in printed.out
    assert counts() == {2: 7}


def test_with_one_key_there_is_nothing_to_do(run, use, shops):  # noqa: F811
    use(OLD)
    printed = run("rotatekeys")
    assert printed.code == 0 and "Every secret is under the only key." in printed.out


def test_stopped_halfway_it_goes_on(run, shops, small_batches, monkeypatch):  # noqa: F811
    rewritten, left = KeyRing.rewritten, [1, 2, 3]

    def breaks(ring, token):
        left.pop()
        return rewritten(ring, token)

    monkeypatch.setattr(KeyRing, "rewritten", breaks)
    with pytest.raises(IndexError):
        run("rotatekeys")
    assert counts() == {1: 2, 2: 5} and secrets() == ALL
    monkeypatch.undo()
    monkeypatch.setattr(keyring, "BATCH", 1)
    assert "5 secrets written anew." in run("rotatekeys").out
    assert counts() == {1: 7} and secrets() == ALL


def test_what_a_person_changes_meanwhile_is_kept(run, shops, monkeypatch):  # noqa: F811
    rewritten, edits = KeyRing.rewritten, iter(["typed meanwhile"])

    def edited(ring, token):
        for text in edits:
            Connection.objects.filter(name="Shop 1").update(api_key=text)
        return rewritten(ring, token)

    monkeypatch.setattr(KeyRing, "rewritten", edited)
    run("rotatekeys")
    shops[1].refresh_from_db()
    assert shops[1].api_key.reveal() == "typed meanwhile"
    # The secret beside it was read together with the old key; a second run takes it.
    run("rotatekeys")
    assert counts() == {1: 7}


def test_a_key_in_use_that_is_dropped_is_named_by_its_secrets(run, shops, use):  # noqa: F811
    use(NEW)
    printed = run("rotatekeys")
    assert printed.code == 1
    assert "lacks a key that is still in use: 7 stored secrets cannot be read" in printed.error
    assert "“Shop 0”, API key" in printed.error and "…" in printed.error
    use(NEW, OLD)
    assert run("rotatekeys").code == 0


@pytest.mark.parametrize("line", [["checkpoller"], ["runpoller", "--once"], ["runpoller"], ["rotatekeys"]])
def test_nothing_starts_with_a_wrong_key(run, shops, use, line, monkeypatch):  # noqa: F811
    monkeypatch.setattr("sync.management.commands.runpoller.Supervisor", None)
    use(OTHER)
    printed = run(*line)
    assert printed.code == 1 and "POLLER_ENCRYPTION_KEY lacks a key" in printed.error


def test_one_row_with_a_lost_key_is_told_by_its_name(shops):
    with database.cursor() as cursor:
        cursor.execute(
            "UPDATE connections_connection SET webhook_secret = %s WHERE name = %s", [b"lost", "Shop 2"]
        )
    with pytest.raises(ImproperlyConfigured, match=r"1 stored secret cannot .*“Shop 2”, webhook secret"):
        require_readable_secrets()


def test_a_database_that_does_not_answer_is_reported_elsewhere(monkeypatch):
    def fails(vault):
        raise DatabaseError("no such table")

    monkeypatch.setattr(keyring.Vault, "rows", fails)
    require_readable_secrets()


def test_an_old_process_writes_with_the_old_key_meanwhile(run, shops, use):  # noqa: F811
    run("rotatekeys")
    use(OLD, NEW)
    Connection.objects.filter(name="Shop 1").update(api_key="written by an old process")
    use(NEW, OLD)
    assert run("rotatekeys", "--check").code == 1
    assert run("rotatekeys").code == 0


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """A data folder with two secrets under OLD; nothing is written into it any more."""
    data = tmp_path_factory.mktemp("stored")
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "odoopoller.settings",
        "SECRET_KEY": "for-tests-only-" + "0123456789" * 5,
        "ENV_FILE": os.devnull,
        "POLLER_DATA_DIR": str(data),
        "DATABASE_URL": "",
        "POLLER_ENCRYPTION_KEY": OLD,
    }
    flags = {"name": "A", "connection-id": "a", "url": "https://a.example.com", "database": "a"}
    flags |= {"username": "a", "api-key": "k", "webhook-url": "https://b.example.com/"}
    add = [word for name, value in flags.items() for word in (f"--{name}", value)]
    for line in (["migrate", "-v0"], ["addconnection", *add]):
        command = [sys.executable, str(ROOT / "manage.py"), *line]
        subprocess.run(command, env=environment, check=True, capture_output=True)
    return environment


@pytest.mark.slow
@pytest.mark.parametrize(
    ("key", "said"),
    [("", "POLLER_ENCRYPTION_KEY is missing"), (OTHER, "lacks a key that is still in use: 2 stored secrets")],
    ids=["missing", "wrong"],  # a random key in the name would be another for each process of a run
)
def test_the_web_server_does_not_start_with_a_missing_or_wrong_key(stored, key, said):
    load = [sys.executable, "-c", "import odoopoller.wsgi"]
    with_key = stored | {"POLLER_ENCRYPTION_KEY": key}
    done = subprocess.run(load, env=with_key, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 4 and "Traceback" not in done.stderr
    assert done.stderr.startswith("Not configured: ") and said in done.stderr
