"""manage.py sandbox: a stand-in Odoo and a receiver on this machine, to try the poller without a shop."""

import asyncio
import json
import signal
from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from core.console.bounds import fraction, whole
from sandbox.odoo.shop import VERSIONS
from sandbox.run import Access, Plan, Stage

SHOWN_SHOPS = 8
NUMBERS: tuple[tuple[str, Any, float, str], ...] = (
    ("--shops", whole(1, 1000), 1, "databases per version"),
    ("--orders", whole(0, 100_000), 20, "confirmed orders each shop starts with"),
    ("--after-order", whole(0, 2**53), 0, "number orders from there on"),
    ("--rate", fraction(0, 100_000), 2.0, "new orders per minute and shop"),
    ("--latency", fraction(0, 3600), 0.0, "seconds Odoo takes to answer"),
    ("--receiver-latency", fraction(0, 3600), 0.0, "seconds the receiver takes"),
    ("--port", whole(0, 65_400), 8069, "first Odoo port; 0 takes a free one"),
    ("--receiver-port", whole(0, 65_535), 8070, "0 takes a free one"),
    ("--seed", whole(0, 10**15), 1, "another number makes other orders"),
)


class Command(BaseCommand):
    help = "Run made-up Odoo shops and a webhook receiver on loopback. Nothing is stored; Ctrl-C ends it."
    requires_system_checks = []
    requires_migrations_checks = False

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        # Every command of Django has a --version of its own; here it means Odoo's.
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--version",
            dest="versions",
            type=int,
            nargs="+",
            choices=VERSIONS,
            default=[17],
            help="Odoo versions to play, each on a port of its own",
        )
        for flag, kind, default, what in NUMBERS:
            parser.add_argument(flag, type=kind, default=default, help=what)
        parser.add_argument("--state", type=Path, help="write what is needed to connect to this JSON file")
        parser.add_argument("--quiet", action="store_true", help="print one line only")

    def handle(self, *args: Any, **options: Any) -> None:
        plan = Plan(
            versions=tuple(dict.fromkeys(options["versions"])),
            shops=options["shops"],
            orders=options["orders"],
            after_order=options["after_order"],
            per_minute=options["rate"],
            latency_seconds=options["latency"],
            receiver_latency_seconds=options["receiver_latency"],
            port=options["port"],
            receiver_port=options["receiver_port"],
            seed=options["seed"],
        )
        with suppress(KeyboardInterrupt):
            asyncio.run(self._run(plan, options["state"], options["quiet"]))

    async def _run(self, plan: Plan, state: Path | None, quiet: bool) -> None:
        stage = Stage(plan)
        try:
            await stage.start()
        except OSError as error:
            raise CommandError(
                _("%(error)s. Choose other ports: --port, --receiver-port.") % {"error": error}
            ) from error
        if state is not None:
            _write(state, stage.accesses)
        self._greet(stage.accesses, quiet)
        await _until_told_to_stop(stage)
        await stage.stop()

    def _greet(self, accesses: list[Access], quiet: bool) -> None:
        control = accesses[0].webhook_url.partition("/hook/")[0]
        self.stdout.write(
            _("Sandbox with %(count)d shops. Control page: %(url)s")
            % {"count": len(accesses), "url": control}
        )
        if quiet:
            self.stdout.flush()
            return
        for access in accesses[:SHOWN_SHOPS]:
            self.stdout.write(_describe(access))
        if len(accesses) > SHOWN_SHOPS:
            self.stdout.write(_("... and %(count)d more") % {"count": len(accesses) - SHOWN_SHOPS})
        self.stdout.write(
            _("\nOn the control page: confirm, change and cancel orders, and make either side fail.")
        )
        self.stdout.write(_("Everything is made up and in memory only. Ctrl-C stops it."))
        self.stdout.flush()


def _write(state: Path, accesses: list[Access]) -> None:
    try:
        state.write_text(json.dumps([each.as_dict() for each in accesses], indent=2) + "\n")
    except OSError as error:
        raise CommandError(f"--state: {error.strerror}") from None


def _describe(access: Access) -> str:
    rows = {
        _("Odoo URL"): access.url,
        _("Database"): access.database,
        _("User"): access.username,
        _("API key"): access.api_key,
        _("Webhook URL"): access.webhook_url,
        _("Webhook secret"): access.webhook_secret,
    }
    lines = [f"  {label:<15} {value}" for label, value in rows.items()]
    return "\n".join([f"\n{access.name} (Odoo {access.version})", *lines])


async def _until_told_to_stop(stage: Stage) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    living = asyncio.create_task(stage.live())
    stopping = asyncio.create_task(stop.wait())
    done, pending = await asyncio.wait({living, stopping}, return_when=asyncio.FIRST_COMPLETED)
    for task in pending:
        task.cancel()
    for task in done:
        task.result()  # a shop's life that broke is an error to be seen, not a silence
