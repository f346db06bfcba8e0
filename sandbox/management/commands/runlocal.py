"""manage.py runlocal: what `make run` does once everything is installed. For one machine and one person."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from core.console.bounds import whole
from sandbox.local import connections, ports
from sandbox.local.first_user import login
from sandbox.local.order_lines import Flow
from sandbox.local.processes import Child, Children

VERSIONS = ("17", "19")  # one shop of each protocol
START_SECONDS = 30
LOOK_SECONDS = 0.5


class Command(BaseCommand):
    help = "Start the admin, the poller and the sandbox on this machine and show orders as they flow."
    requires_system_checks: list[str] = []  # migrate, called first, does them

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--port", type=whole(1, 65_530), default=8000, help="of the admin; the sandbox takes the next"
        )
        parser.add_argument("--no-sandbox", dest="sandbox", action="store_false")

    def handle(self, *args: Any, **options: Any) -> None:
        self.signals = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        self._refuse_taken_ports(options["port"], options["sandbox"])
        call_command("migrate", interactive=False, verbosity=0)
        who = login(settings.DATA_DIR)
        children = Children(settings.DATA_DIR / "logs")
        try:
            self._start(children, options["port"], options["sandbox"])
            self._greet(options["port"], options["sandbox"], who)
            self._watch(children)
        finally:
            self._stop(children)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.signals += 1

    def _refuse_taken_ports(self, port: int, sandbox: bool) -> None:
        wanted = range(port, port + 2 + len(VERSIONS)) if sandbox else [port]
        taken = [number for number in wanted if not ports.is_free(number)]
        if taken:
            raise CommandError(
                _("Port %(port)s is in use, perhaps by another `make run`. Try: make run PORT=%(other)s")
                % {"port": taken[0], "other": port + 100}
            )

    def _start(self, children: Children, port: int, sandbox: bool) -> None:
        if sandbox:
            self._start_sandbox(children, port + 1)
        children.manage("poller", "runpoller")
        web = ["--bind", f"{ports.LOOPBACK}:{port}", "--threads", "4", "--no-control-socket"]
        child = children.start("web", sys.executable, "-m", "gunicorn", "odoopoller.wsgi", *web)
        self._wait_until(lambda: ports.answers(port), children, child)

    def _start_sandbox(self, children: Children, port: int) -> None:
        state = settings.DATA_DIR / "sandbox.json"
        state.unlink(missing_ok=True)
        flags = {
            "receiver-port": port,
            "port": port + 1,
            "rate": 6,
            "after-order": connections.newest_order(),
            "state": state,
        }
        words = [f"--{name}={value}" for name, value in flags.items()]
        child = children.manage("sandbox", "sandbox", "--quiet", *words, "--version", *VERSIONS)
        self._wait_until(lambda: ports.answers(port) and state.exists(), children, child)
        if not self.signals:
            connections.connect(state)

    def _wait_until(self, ready: Callable[[], bool], children: Children, child: Child) -> None:
        until = time.monotonic() + START_SECONDS
        while not self.signals and not ready():
            if not child.is_alive() or time.monotonic() > until:
                raise self._broken(child)
            time.sleep(0.1)

    def _greet(self, port: int, sandbox: bool, who: str) -> None:
        rows = {_("Admin"): f"http://{ports.LOOPBACK}:{port}/", _("Login"): who}
        if sandbox:
            rows[_("Sandbox")] = f"http://{ports.LOOPBACK}:{port + 1}/"
        rows[_("Logs")] = str(settings.DATA_DIR / "logs")
        table = "\n".join(f"  {label:<9} {value}" for label, value in rows.items())
        hint = _("Orders appear below as they flow. Ctrl-C stops everything.")
        self._say(f"\n{table}\n\n{hint}\n")

    def _watch(self, children: Children) -> None:
        """Show what flows until a signal. Raises CommandError when a child has ended by itself."""
        flow = Flow()
        while not self.signals:
            for line in flow.lines():
                self._say(line)
            if gone := children.gone():
                raise self._broken(gone)
            time.sleep(LOOK_SECONDS)

    def _stop(self, children: Children) -> None:
        if self.signals:
            self._say(_("\nStopping; what is in flight is finished first. Ctrl-C again stops at once."))
        asked = self.signals
        children.stop(hurry=lambda: self.signals > asked)
        if self.signals:
            self._say(_("Stopped. Everything is kept; `make run` goes on from here."))

    def _broken(self, child: Child) -> CommandError:
        text = _("The %(name)s did not stay up. Its last words, from %(log)s:\n\n%(words)s")
        return CommandError(text % {"name": child.name, "log": child.log, "words": child.last_lines()})

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
