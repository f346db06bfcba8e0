"""Shops with nothing new: what a poll costs, everything included, in CPU, statements and calls."""

import time

from bench.environment import Ground, Setting, ground
from bench.report import Figure
from bench.rows.row import Row

CONNECTIONS = 300
INTERVAL = 5


def measure(setting: Setting) -> list[Figure]:
    with ground(setting, setting.connections or CONNECTIONS) as here:
        here.poll()
        here.rest(3)
        with here.account() as rest:
            here.rest(setting.duration(3, 20))
        here.connect(poll_interval_seconds=setting.interval(INTERVAL, INTERVAL))
        here.begin()
        figures = _cost(here, setting)
        here.pollers.pop().stop()
        statements = _statements(here, setting)
    nothing = 1000 * rest.cpu_seconds / rest.seconds
    return [*figures, statements, Figure("idle", "CPU with no connection at all", nothing, "ms/s")]


def _cost(here: Ground, setting: Setting) -> list[Figure]:
    _settle(here)
    with here.load_account() as load, here.account() as account:
        time.sleep(setting.duration(10, 60))
    told = here.load.told()
    polls = sum(map(len, told.polls().values()))
    facts = {
        "polls": polls,
        "seconds": account.seconds,
        "polls_per_second": polls / account.seconds,
        "processes": account.processes,
        "load_ms": 1000 * load.cpu_seconds / polls,
        "interval": setting.interval(INTERVAL, INTERVAL),
    }
    name = f"{len(here.shops)} connections: CPU per poll, everything included"
    figures = [
        Figure("idle", name, 1000 * account.cpu_seconds / polls, "ms", 1.0, 1.94, facts=facts),
        Figure("idle", "calls to Odoo per poll", told.number_of_calls / polls, "calls", 1, 1),
    ]
    if not here.scratch.is_sqlite:
        beside = 1000 * account.database_seconds / polls
        figures.append(Figure("idle", "PostgreSQL's CPU per poll, beside it", beside, "ms"))
    return figures


def _settle(here: Ground) -> None:
    """What the first seconds left open is read again; then count from here."""
    here.rest(2)
    here.load.do(mark=True)


def _statements(here: Ground, setting: Setting) -> Figure:
    """With a poller of its own: counting costs."""
    poller = here.poll(counted=True)
    _settle(here)
    before = _letters(poller.statements)
    time.sleep(setting.duration(6, 30))
    told = here.load.told()
    letters = {kind: number - before[kind] for kind, number in _letters(poller.statements).items()}
    polls = sum(map(len, told.polls().values()))
    facts = {"polls": polls, **{f"statements_{kind}": number for kind, number in letters.items()}}
    all_in_all = (letters["s"] + letters["q"]) / polls
    name = "database statements per poll, queue and ticks included"
    return Figure("idle", name, all_in_all, "", 1, 6, facts=facts)


def _letters(path: object) -> dict[str, int]:
    """See `bench.count_statements`."""
    with open(str(path), "rb") as file:
        text = file.read()
    return {kind: text.count(kind.encode()) for kind in "sqc"}


ROW = Row("idle", "300 connections with nothing new: CPU, statements and calls per poll", measure)
