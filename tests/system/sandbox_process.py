"""The sandbox as a process: started, told what to do, asked what happened, stopped."""

import http.client
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson

from tests.system.scratch import ROOT, Scratch
from tests.system.waiting import until

START_SECONDS = 60
ANSWER_SECONDS = 60


class Shops:
    """Shops of these versions and their receiver. `options` are those of `manage.py sandbox`: orders=5."""

    module = "tests.system.recording_sandbox"

    def __init__(self, scratch: Scratch, versions: Iterable[int], **options: float) -> None:
        state, log = scratch.folder / "shops.json", scratch.folder / "shops.log"
        self._log = log
        words = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        command = [sys.executable, "-m", self.module, "--quiet", "--state", str(state)]
        command += ["--port=0", "--receiver-port=0", *words, "--version", *map(str, versions)]
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                command, env=scratch.environment, cwd=ROOT, stdout=output, stderr=output
            )
        until(lambda: self._is_ready(state, log), START_SECONDS, "the sandbox listens")
        self.accesses: list[dict[str, Any]] = orjson.loads(state.read_bytes())
        self._control = urlsplit(self.accesses[0]["webhook_url"]).netloc

    def _is_ready(self, state: Path, log: Path) -> bool:
        if self.process.poll() is not None:
            raise RuntimeError(log.read_text())
        return state.exists() and state.read_bytes().endswith(b"]\n")

    @property
    def names(self) -> list[str]:
        return [access["database"] for access in self.accesses]

    def tell(self, **command: Any) -> None:
        """One command of the sandbox's control: shop="*", confirm=5. Raises ValueError when refused."""
        self._ask("POST", "/control", orjson.dumps(command))

    def stats(self) -> Mapping[str, Any]:
        return self._ask("GET", "/control/stats")

    def evidence(self) -> Mapping[str, Any]:
        """See `tests.system.recording_sandbox`."""
        return self._ask("GET", "/control/evidence")

    def _ask(self, method: str, path: str, body: bytes = b"") -> Any:
        if self.process.poll() is not None:
            raise RuntimeError(f"The sandbox ended by itself:\n{self._log.read_text()[-2000:]}")
        connection = http.client.HTTPConnection(self._control, timeout=ANSWER_SECONDS)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            value = orjson.loads(answer.read())
        finally:
            connection.close()
        if answer.status != 200:
            raise ValueError(value)
        return value

    def stop(self) -> None:
        self.process.kill()
        self.process.wait(10)
