"""`make run` as a newcomer lives it: processes start, orders flow, Ctrl-C ends everything."""

import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import urllib.request

import psycopg
import pytest
import redis

from sandbox.local import ports

pytestmark = pytest.mark.slow


def free_ports(count):
    """The first of so many free ports in a row."""
    for first in range(21_000 + os.getpid() % 1000 * 10, 40_000, 10):
        if all(ports.is_free(first + step) for step in range(count)):
            return first
    raise LookupError("no free ports")


@pytest.fixture
def run(manage, environment):
    started = []

    def start(*arguments):
        process = subprocess.Popen(
            [*manage, "runlocal", *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.terminate()
        process.wait()
        process.stdout.close()


def read_until(process, words):
    """The lines up to one that has these words; a test that waits too long is ended by CI."""
    lines = []
    for line in process.stdout:
        lines.append(line)
        if words in line:
            return "".join(lines)
    raise AssertionError("ended before it said " + words + ":\n" + "".join(lines))


def test_orders_flow_and_ctrl_c_ends_everything(run, environment, tmp_path):
    port = free_ports(4)
    process = run("--port", str(port))
    greeting = read_until(process, "Ctrl-C stops everything")
    assert f"http://127.0.0.1:{port}/" in greeting
    assert "support / " in greeting
    read_until(process, "order.confirmed delivered in")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/admin/login/", timeout=20) as page:
        assert "csrfmiddlewaretoken" in page.read().decode()

    process.send_signal(signal.SIGINT)
    rest = process.communicate()[0]
    assert process.returncode == 0
    assert "Stopped. Everything is kept" in rest
    assert "Traceback" not in rest
    assert all(ports.is_free(port + step) for step in range(4))
    with contextlib.closing(sqlite3.connect(tmp_path / "var" / "poller.sqlite3")) as database:
        assert database.execute("SELECT count(*) FROM sync_sentorder").fetchone()[0] > 0


def test_without_the_sandbox_nothing_is_made_up(run, tmp_path):
    port = free_ports(1)
    process = run("--port", str(port), "--no-sandbox")
    assert "Sandbox" not in read_until(process, "Ctrl-C stops everything")
    process.send_signal(signal.SIGTERM)
    assert "Traceback" not in process.communicate()[0]
    with contextlib.closing(sqlite3.connect(tmp_path / "var" / "poller.sqlite3")) as database:
        assert database.execute("SELECT count(*) FROM connections_connection").fetchone() == (0,)


@pytest.fixture
def servers(environment, postgres_url, redis_url):
    """The environment moved to an empty PostgreSQL database and an empty Redis; gives the database's URL."""
    name = f"test_odoopoller_run_{os.getpid()}"
    url = f"{postgres_url.rpartition('/')[0]}/{name}"
    with psycopg.connect(postgres_url, autocommit=True) as server, redis.Redis.from_url(redis_url) as queue:
        server.execute(f"CREATE DATABASE {name}")
        queue.flushdb()
        environment |= {"DATABASE_URL": url, "REDIS_URL": redis_url}
        yield url
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")
        queue.flushdb()


@pytest.mark.postgres
@pytest.mark.redis
def test_two_pollers_share_postgresql_and_redis(run, servers, manage, environment):
    port = free_ports(4)
    process = run("--port", str(port))
    read_until(process, "Ctrl-C stops everything")
    second = subprocess.Popen([*manage, "runpoller"], env=environment, stderr=subprocess.PIPE, text=True)
    read_until(process, "order.confirmed delivered in")
    first_line = second.stderr.readline()
    second.terminate()
    process.send_signal(signal.SIGINT)
    second.communicate()
    process.communicate()
    assert "The poller runs" in first_line
    assert (process.returncode, second.returncode) == (0, 0)
    with psycopg.connect(servers) as database:
        sent, versions = database.execute(
            "SELECT count(*), count(DISTINCT (connection_id, order_id, version)) FROM sync_deliveryattempt"
        ).fetchone()
    assert sent == versions > 0


@pytest.mark.parametrize("step", [0, 2])
def test_a_taken_port_is_said_plainly(run, step):
    port = free_ports(4)
    with socket.create_server(("127.0.0.1", port + step)):
        process = run("--port", str(port))
        said = process.communicate()[0]
    assert process.returncode == 1
    assert f"Port {port + step} is in use" in said
    assert f"make run PORT={port + 100}" in said
    assert "Traceback" not in said
