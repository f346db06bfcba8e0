"""A rolling upgrade under load: old and new pollers side by side across the migrations, and nothing lost.

    .venv/bin/python -m tests.system.rolling_upgrade --old v0.1.0 --database
    postgres://postgres@127.0.0.1:5432/upgrade

`--old` is a commit or tag; the database has to be empty. Prints a tally; exit code 1 if anything is wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
ODOO, HOOKS = 28069, 28070
SETTLE_SECONDS = 90
KEY = "YmVuY2gtb25seS1iZW5jaC1vbmx5LWJlbmNoLW9ubHk="


class Version:
    """One version's code with the data that all of them share."""

    def __init__(self, folder: Path, data: Path, database: str) -> None:
        self.folder, self.data = folder, data
        self.environment = os.environ | {
            "ENV_FILE": os.devnull,
            "SECRET_KEY": "bench-only-" * 5,
            "POLLER_ENCRYPTION_KEY": KEY,
            "POLLER_DATA_DIR": str(data),
            "POLLER_ALLOWED_NETWORKS": "127.0.0.0/8",
            "DATABASE_URL": database,
            "REDIS_URL": "",
        }

    def manage(self, *line: str, feed: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *line]
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, input=feed, text=True, capture_output=True
        )

    def start(self, name: str, *line: str) -> subprocess.Popen[bytes]:
        with (self.data / f"{name}.log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "manage.py", *line],
                cwd=self.folder,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )


def unpack(commit: str, folder: Path) -> Path:
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, capture_output=True, check=True)
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archive.stdout, check=True)
    return folder


def sandbox(path: str, command: dict[str, Any] | None = None) -> Any:
    body = None if command is None else json.dumps(command).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{HOOKS}{path}", data=body, headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def add_connections(old: Version, state: Path) -> None:
    for shop in json.loads(state.read_text()):
        old.manage(
            *("addconnection", "--name", shop["name"], "--connection-id", shop["name"]),
            *("--url", shop["url"], "--database", shop["database"], "--username", shop["username"]),
            *("--webhook-url", shop["webhook_url"], "--webhook-secret", shop["webhook_secret"]),
            *("--api-key", "-", "--interval", "5"),
            feed=shop["api_key"] + "\n",
        )


def undelivered() -> int:
    """Confirmed orders of the sandbox, made while it ran, that no receiver has."""
    orders = sandbox("/control/orders")
    missing = 0
    for name, states in orders["shops"].items():
        has = orders["hooks"].get(name, {})
        confirmed = {f"odoo_{name}_{order}" for order, state in states.items() if state == "sale"}
        missing += len(confirmed - set(has))
    return missing


def errors(log: Path) -> list[str]:
    return [line for line in log.read_text().splitlines() if re.search(r'"ERROR"|Traceback|ERROR', line)]


def run(commit: str, database: str, data: Path) -> dict[str, Any]:
    old_folder = data / "old"
    old_folder.mkdir()
    old, new = Version(unpack(commit, old_folder), data, database), Version(ROOT, data, database)
    figures: dict[str, Any] = {"old": commit}
    running = []
    try:
        assert old.manage("migrate", "-v0").returncode == 0
        line = ["--version", "16", "19", "--shops", "3", "--orders", "0", "--rate", "0.001"]
        ports = ["--port", str(ODOO), "--receiver-port", str(HOOKS)]
        running.append(new.start("sandbox", "sandbox", *line, *ports, "--state", str(data / "state.json")))
        time.sleep(5)
        add_connections(old, data / "state.json")
        first = old.start("old", "runpoller", "--workers", "2")
        running.append(first)
        time.sleep(15)  # all have begun
        _load(15)
        with ThreadPoolExecutor(1) as aside:
            migrating = aside.submit(_migrate, new)
            _load(5)
            figures["migrated_seconds"] = migrating.result()
        _load(15)  # old code on the new schema
        second = new.start("new", "runpoller", "--workers", "2")
        running.append(second)
        _load(20)  # side by side
        figures["old_stopped_seconds"], figures["old_exit_code"] = _stop(first)
        _load(15)
        figures |= _settled()
        figures["new_stopped_seconds"], figures["new_exit_code"] = _stop(second)
        figures["checkledger"] = new.manage("checkledger").returncode
        figures["errors"] = errors(data / "old.log") + errors(data / "new.log")
    finally:
        for process in running:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    return figures


def _load(seconds: float) -> None:
    """Orders are confirmed, changed and cancelled in every shop."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sandbox("/control", {"shop": "*", "confirm": 3})
        sandbox("/control", {"shop": "*", "change": 1})
        sandbox("/control", {"shop": "*", "cancel": 1})
        time.sleep(0.5)


def _migrate(new: Version) -> float:
    began = time.monotonic()
    done = new.manage("migrate", "-v0")
    assert done.returncode == 0, done.stderr
    return round(time.monotonic() - began, 1)


def _stop(process: subprocess.Popen[bytes]) -> tuple[float, int]:
    began = time.monotonic()
    process.send_signal(signal.SIGTERM)
    code = process.wait(40)
    return round(time.monotonic() - began, 1), code


def _settled() -> dict[str, Any]:
    end = time.monotonic() + SETTLE_SECONDS
    while undelivered() and time.monotonic() < end:
        time.sleep(2)
    totals = sandbox("/control/stats")["totals"]
    wanted = ("deliveries", "events", "duplicates", "stale", "signature_bad")
    return {"undelivered": undelivered(), **{name: totals[name] for name in wanted}}


def is_good(figures: dict[str, Any]) -> bool:
    zeros = ("undelivered", "stale", "signature_bad", "old_exit_code", "new_exit_code", "checkledger")
    return not any(figures[name] for name in zeros) and not figures["errors"] and figures["events"] > 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--old", required=True)
    parser.add_argument("--database", required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as data:
        figures = run(options.old, options.database, Path(data))
    print(json.dumps(figures, indent=2))
    return 0 if is_good(figures) else 1


if __name__ == "__main__":
    sys.exit(main())
