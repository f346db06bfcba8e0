"""Ten thousand shops on one `runpoller`: how late polls get, what they cost, whether memory stays."""

import os
import time
from dataclasses import dataclass

from bench.cpu_memory import Account
from bench.due_times import Dues
from bench.environment import Ground, Setting, ground
from bench.load.client import Told, lateness, quantile
from bench.report import Figure
from bench.rows.row import Row

SHARE_WITH_ORDERS = 0.01  # each round
STEADY_SECONDS = 600  # a shorter run says nothing about memory


def measure(setting: Setting) -> list[Figure]:
    interval = setting.interval(6, 60)
    with ground(setting, setting.shops(600, 10_000)) as here:
        here.connect(poll_interval_seconds=interval)
        here.poll()
        begun = here.begin(900)
        here.rest(interval)
        run = _run(here, interval, setting.duration(12, 120))
        number = len(here.shops)
    return _figures(number, interval, begun, run)


@dataclass(frozen=True)
class Run:
    """`late` are seconds from due to polled, sorted."""

    load: Account
    account: Account
    told: Told
    late: list[float]


def _run(here: Ground, interval: int, seconds: float) -> Run:
    per_second = len(here.shops) * SHARE_WITH_ORDERS / interval
    here.load.do(mark=True, per_second=per_second, shops=here.shops)
    with here.load_account() as load, here.account() as account, Dues(here.scratch) as dues:
        time.sleep(interval + seconds)
        end = time.time()
    here.load.do(per_second=0)
    told = here.until_arrived(interval + 120)
    return Run(load, account, told, lateness(dues.before(end), told.calls, time.time()))


def _figures(number: int, interval: int, begun: float, run: Run) -> list[Figure]:
    row, cores = "tenthousand", os.cpu_count() or 1
    load, account, told, late = run.load, run.account, run.told, run.late
    polls, lags = told.polls(), told.lags()
    percent = 100 / account.seconds / cores
    facts = {
        "connections": number,
        "interval": interval,
        "seconds": account.seconds,
        "polls": sum(map(len, polls.values())),
        "polled_connections": len(polls),
        "orders": len(lags),
        "latest": quantile(late, 1.0),
        "load_percent": load.cpu_seconds * percent,
        "cores": cores,
    }
    memory = {"megabytes_per_hour": account.slope_megabytes_per_hour, "over_time": account.over_time(20)}
    growth = account.growth
    bound = 1.05 if account.seconds >= STEADY_SECONDS else None
    name = f"{number} connections every {interval} s"
    figures = [
        Figure(row, f"{name}: due to polled, p50", quantile(late, 0.5), "s"),
        Figure(row, f"{name}: due to polled, p95", quantile(late, 0.95), "s", 5, facts=facts),
        Figure(row, f"CPU of all processes, of {cores} cores", account.cpu_seconds * percent, "%", 60),
        Figure(row, "order to receiver, p95", quantile(lags, 0.95), "s", interval + 2),
        Figure(row, "first look at all shops", begun, "s"),
        Figure(row, "peak memory", account.peak_megabytes, "MB"),
        Figure(row, "memory at the end / at the beginning", growth, "", bound, facts=memory),
    ]
    if account.database_seconds:
        beside = account.database_seconds * percent
        figures.append(Figure(row, "PostgreSQL's CPU, beside it", beside, "%"))
    return figures


ROW = Row("tenthousand", "10,000 connections every 60 s, 1 % with an order a round, one runpoller", measure)
