"""Each setting against a table of hostile values: taken, or refused in a sentence that shows no value."""

import os
import subprocess
import warnings
import zoneinfo

import pytest
import sentry_sdk
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.test import override_settings

from tests.conftest import ROOT
from tests.odoopoller.test_settings import names_in_example

SECRET = "hunter2Zx7Lw"  # of letters and digits, so that no spelling of it hides in a message
GOOD = {
    "SECRET_KEY": "for-tests-only-" + "0123456789" * 5,
    "POLLER_ENCRYPTION_KEY": "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=",
    "ENV_FILE": os.devnull,
}
HOSTILE = [
    SECRET,
    f"${SECRET}",
    f"'{SECRET}",
    "-1",
    "0",
    "1.5",
    "1e3",
    "nan",
    "999999",
    "9223372036854775808",
    "9" * 5000,
    "\u0663\u0663",
    "true",
    f"{SECRET},{SECRET}",
    f"{SECRET}\n{SECRET}",
    f"{SECRET}\x1b[31m",
    f"{SECRET}\udcff",
    "../" * 2000 + SECRET,
    f"http://{SECRET}:port",
    f"http://{SECRET}@[::1",
    f"http://user:{SECRET}@host:99999",
    f"https://{SECRET}",
    f"http://user:p@ss/{SECRET}@host:80",
    f"postgres://user:{SECRET}/x@host:5432/name",
    f"postgres://user:{SECRET}@host:port/name",
    f"postgres://user:{SECRET}@[::1/name",
    f"postgres://user:{SECRET}@host:0/name",
    f"postgres://user:p@ss/{SECRET}@host:5432/name",
    f"postgres://user:{SECRET}@host:5432",
    f"postgres://user:{SECRET}@one:5432,two:port/name",
    f"postgres://user:{SECRET}@host/name?sslmode={SECRET}",
    f"postgres://user:{SECRET}@host/name?connect_timeout={SECRET}",
    f"postgres://user:{SECRET}@host/name?conn_max_age={'(' * 500}",
    f"postgres://user:{SECRET}@host/name?conn_max_age={'9' * 5000}",
    f"postgres://user:{SECRET}@host/name?autocommit={SECRET}",
    f"sqlite://{SECRET}@host/name",
    f"sqlite:///name?timeout={SECRET}",
    f"sqlite:///name?{SECRET}=1",
    f"sqlite:///name?transaction_mode={SECRET}",
    f"redis://:{SECRET}@host:port/0",
    f"redis://:p@ss/{SECRET}@host:6379/0",
    f"redis://host/{SECRET}",
    f"redis://host/0?socket_timeout={SECRET}",
    "redis://",
    f"smtp://user:{SECRET}@host:port",
    f"smtp+tls://user:{SECRET}/x@host:587",
    f"smtp+tls://user:p@ss/{SECRET}@host:587",
    f"smtp+tls://user:{SECRET}@host:587?email_use_ssl=true",
    "smtp://",
    f"smtp+tls://user:{SECRET}@[::1",
]
SKIPPED = ("DATABASES", "CACHES", "LOGGING", "INSTALLED_APPS", "MIDDLEWARE", "TEMPLATES", "Q_CLUSTER")


FILE = ROOT / "odoopoller" / "settings.py"
CODE = compile(FILE.read_text(), FILE, "exec")


@pytest.fixture
def load(monkeypatch, tmp_path):
    """The settings of a process with these variables, as names and values."""
    zones = zoneinfo.available_timezones()
    monkeypatch.setattr(zoneinfo, "available_timezones", lambda: zones)  # reads a thousand files

    def load(**variables):
        given = GOOD | {"POLLER_DATA_DIR": str(tmp_path / "var")} | variables
        monkeypatch.setattr(os, "environ", given)
        names = {"__name__": "settings", "__file__": str(FILE)}
        exec(CODE, names)
        return {name: value for name, value in names.items() if name.isupper()}

    yield load
    sentry_sdk.init(dsn="")


@pytest.fixture
def checked(load):
    """What the checks say of the settings that differ from the usual ones."""
    usual = load()

    def checked(values):
        changed = {n: v for n, v in values.items() if n not in SKIPPED and v != usual.get(n)}
        with override_settings(**changed):
            return run_checks(tags=["security", "queue", "caches"])

    return checked


@pytest.mark.parametrize("name", names_in_example())
def test_no_value_breaks_the_start_or_is_shown(load, checked, monkeypatch, tmp_path, name):
    monkeypatch.chdir(tmp_path)  # a folder may be made
    for value in HOSTILE:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            try:
                said = [str(message) for message in checked(load(**{name: value}))]
            except ImproperlyConfigured as refused:
                said = [str(refused)]
                assert name in said[0], value
        said += [str(warning.message) for warning in warned]
        # Of ENV_FILE the path is told: a file is to be found, and no secret is expected there.
        assert name == "ENV_FILE" or not [line for line in said if SECRET in line], value


@pytest.mark.parametrize("name", names_in_example())
def test_no_file_breaks_the_start_or_is_shown(load, tmp_path, name):
    files = {"binary": b"\x00\x01" + SECRET.encode(), "latin": f"ñ{SECRET}".encode("latin-1"), "empty": b""}
    for file, content in files.items():
        (tmp_path / file).write_bytes(content)
    paths = [*(str(tmp_path / file) for file in files), str(tmp_path), f"/nowhere/{SECRET}", SECRET * 500]
    for path in paths:
        try:
            load(**{f"{name}_FILE": path})
        except ImproperlyConfigured as refused:
            assert name in str(refused) and SECRET not in str(refused)


NUMBERS = {
    "POLLER_WORKERS": (1, 256),
    "POLLER_THREADS": (1, 1000),
    "POLLER_BATCH_SIZE": (1, 1000),
    "POLLER_DEEP_CHECK_MINUTES": (1, 43_200),
    "POLLER_DEEP_CHECK_DAYS": (1, 3650),
    "POLLER_RECONCILE_HOURS": (1, 8760),
    "POLLER_RECONCILE_DAYS": (1, 3650),
    "POLLER_CONFIRM_ABOVE": (1, 1_000_000),
    "POLLER_RUN_ROWS_PER_SECOND": (1, 10_000),
    "POLLER_KEEP_PAYLOADS_DAYS": (1, 36_500),
    "POLLER_KEEP_LOGS_DAYS": (1, 36_500),
    "POLLER_KEEP_IDLE_LOGS_HOURS": (1, 876_000),
    "POLLER_KEEP_ATTEMPTS_DAYS": (1, 36_500),
    "POLLER_METRICS_CONNECTIONS": (1, 100_000),
    "POLLER_SECRET_OVERLAP_HOURS": (1, 720),
    "POLLER_PROXIES": (0, 100),
}


@pytest.mark.parametrize(("name", "bounds"), NUMBERS.items())
def test_a_number_has_a_lowest_and_a_highest_value(load, name, bounds):
    least, most = bounds
    for number in bounds:
        assert number in load(**{name: str(number)}).values()
    for number in (least - 1, most + 1):
        with pytest.raises(ImproperlyConfigured, match=f"{name} must be a .* from {least} up to {most}"):
            load(**{name: str(number)})


@pytest.mark.parametrize(
    ("name", "value", "setting", "expected"),
    [
        ("SECRET_KEY", "$HOME-is-where-the-key-is", "SECRET_KEY", "$HOME-is-where-the-key-is"),
        ("POLLER_METRICS_TOKEN", "$PATH", "METRICS_TOKEN", "$PATH"),
        ("POLLER_PROXY_URL", "http://u:p%23@[::1]:3128", "PROXY_URL", "http://u:p%23@[::1]:3128"),
        ("REDIS_URL", "rediss://:pass@host:6379/3", "REDIS_URL", "rediss://:pass@host:6379/3"),
        ("REDIS_URL", "unix:///run/redis.sock?db=1", "REDIS_URL", "unix:///run/redis.sock?db=1"),
        ("EMAIL_URL", "smtp+tls://u:p%2Fw@mail", "EMAIL_PORT", 587),
        ("EMAIL_URL", "smtp+tls://u:p%2Fw@mail", "EMAIL_HOST_PASSWORD", "p/w"),
        ("EMAIL_URL", "smtp://mail:2525", "EMAIL_PORT", 2525),
        ("CSRF_TRUSTED_ORIGINS", "https://*.example.com,", "CSRF_TRUSTED_ORIGINS", ["https://*.example.com"]),
        ("POLLER_ALLOWED_NETWORKS", "10.1.0.0/16, ::1", "ALLOWED_NETWORKS", ["10.1.0.0/16", "::1/128"]),
    ],
)
def test_what_is_right_is_taken(load, name, value, setting, expected):
    assert load(**{name: value})[setting] == expected


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "postgres://u:p%40%2Fw@db:5433/name",
            {"PASSWORD": "p@/w", "HOST": "db", "PORT": 5433, "NAME": "name"},
        ),
        ("postgres://u:p#w@db/name", {"PASSWORD": "p#w", "HOST": "db", "PORT": ""}),
        ("postgres://u:p@[::1]:5432/name", {"HOST": "::1", "PORT": 5432}),
        ("postgres://u:p@one:5432,two:5433/name", {"HOST": "one,two", "PORT": "5432,5433"}),
        ("postgres:///name?host=/run/postgresql", {"NAME": "name", "OPTIONS": {"host": "/run/postgresql"}}),
        ("postgres://u@db/name?sslmode=require&connect_timeout=5", {"NAME": "name"}),
        ("postgres://u@db/name?conn_max_age=0", {"CONN_MAX_AGE": 0}),
        ("sqlite:////srv/a%20b.sqlite3?timeout=30", {"NAME": "/srv/a b.sqlite3"}),
    ],
)
def test_a_database_is_found(load, url, expected):
    database = load(DATABASE_URL=url)["DATABASES"]["default"]
    assert {name: database[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ("POLLER_KEEP_LOGS_DAYS=999999", "POLLER_KEEP_LOGS_DAYS must be a whole number from 1 up to 36500."),
        (
            f"DATABASE_URL=postgres://u:{SECRET}/x@host:5432/n",
            "DATABASE_URL cannot be used: a port is a number",
        ),
        (f"POLLER_DATA_DIR=/dev/null/{SECRET}", "POLLER_DATA_DIR cannot be used: Not a directory."),
    ],
)
@pytest.mark.parametrize("program", ["check", "runpoller", "web"])
def test_the_start_of_each_process_says_so(environment, manage, variable, said, program):
    name, _, value = variable.partition("=")
    command = [*manage, program]
    if program == "web":
        command = [manage[0], "-c", "import odoopoller.wsgi"]
    run = subprocess.run(command, env=environment | {name: value}, capture_output=True, text=True, cwd=ROOT)
    assert run.returncode in (1, 4) and run.stdout == ""
    assert run.stderr.startswith(f"Not configured: {said}") and len(run.stderr.splitlines()) == 1
    assert SECRET not in run.stderr
