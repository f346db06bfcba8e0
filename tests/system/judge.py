"""Judging from outside: the shops and what the receiver got, then the ledger's tables by plain SQL."""

import math
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.system.scratch import ROOT, Scratch

# From the moment a request reaches the receiver until its answer is on record, on a machine that is busy.
RECORDED_SECONDS = 2.0
# A process dies a moment after its kill was written down, and what it had sent is read a moment after that.
DYING_SECONDS = 1.0
OVERDUE = timedelta(seconds=20)

Facts = Mapping[str, Any]
Key = tuple[str, str]  # hook, order


@dataclass
class Verdict:
    """What came of a run. Lists hold a sentence for each violation; empty ones are what we want."""

    orders: int = 0
    versions: int = 0
    requests: int = 0
    duplicates: int = 0
    oldest_seconds: float = 0.0  # of what was repeated: from its arrival to the kill
    lost: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)  # although nothing was in flight
    altered: list[str] = field(default_factory=list)  # the same event with other bytes
    backwards: list[str] = field(default_factory=list)
    unbalanced: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)
    other: list[str] = field(default_factory=list)

    @property
    def violations(self) -> list[str]:
        kinds = ("lost", "repeated", "altered", "backwards", "unbalanced", "stuck", "other")
        return [f"{kind}: {sentence}" for kind in kinds for sentence in getattr(self, kind)]


def missing(
    evidence: Facts, hooks: Mapping[str, str], exempt: Iterable[Key] = (), *, texts: bool = False
) -> list[str]:
    """Orders whose newest state a receiver does not have. `hooks` says which shop each of them listens to.

    `exempt` are those from before a connection's start. `texts`: also what no poll can see.
    """
    left_out = set(exempt)
    found = []
    for hook, shop in hooks.items():
        got = evidence["hooks"].get(hook, {})
        for name, order in evidence["shops"][shop].items():
            problem = (hook, name) not in left_out and _differs(order, got.get(name), texts)
            if problem:
                found.append(f"{name} for {hook} {problem}")
    return found


def _differs(order: Facts, got: Facts | None, texts: bool) -> str:
    if order["state"] not in ("sale", "done", "cancel"):
        return ""
    if got is None:
        return "" if order["state"] == "cancel" else "never arrived"
    if order["state"] == "cancel" or got["state"] == "cancel":
        same = order["state"] == got["state"]
        return "" if same else f"is {order['state']}, the receiver has {got['state']}"
    kinds = ("total", "quantity", "texts") if texts else ("total", "quantity")
    for kind in kinds:
        if order[kind] != got[kind]:
            return f"has {kind} {order[kind]}, the receiver's version {got['version']} {got[kind]}"
    return ""


def judge_deliveries(evidence: Facts, kills: list[Facts], verdict: Verdict) -> None:
    """Repeats only of what was in flight at a kill, with the same bytes; versions never go back."""
    requests = evidence["requests"]
    verdict.requests = len(requests)
    moments = [kill["at"] for kill in kills]
    events, orders = defaultdict(list), defaultdict(list)
    for request in requests:
        events[request["event_id"]].append(request)
        if request["accepted"]:
            orders[request["hook"], request["order"]].append(request["version"])
        if request["signature"] != "ok":
            verdict.other.append(f"a signature of {request['order']}: {request['signature']}")
    for event_id, tries in events.items():
        if len({(each["digest"], each["order"], each["version"]) for each in tries}) > 1:
            verdict.altered.append(f"{event_id} of {tries[0]['order']}")
        accepted = [each for each in tries if each["accepted"]]
        verdict.duplicates += max(0, len(accepted) - 1)
        for each in accepted[:-1]:
            age = _age(each, moments)
            verdict.oldest_seconds = max(verdict.oldest_seconds, age)
            if age > each["seconds"] + RECORDED_SECONDS:
                verdict.repeated.append(_about(each))
    for (hook, order), versions in orders.items():
        if versions != sorted(versions):
            verdict.backwards.append(f"{order} at {hook}: {versions}")


def _age(request: Facts, kills: list[float]) -> float:
    """Seconds from the request to the next kill; infinite without one."""
    ages = [kill - request["at"] for kill in kills if kill > request["at"] - DYING_SECONDS]
    return max(0.0, min(ages, default=math.inf))


def _about(request: Facts) -> str:
    at = datetime.fromtimestamp(request["at"], UTC)
    return f"{request['order']} v{request['version']}, sent {at:%H:%M:%S.%f}, was sent again"


# --- The ledger -----------------------------------------------------------------------------------------

_VERSIONS = """
    SELECT s.connection_id, s.order_id, s.version,
        (SELECT count(*) FROM sync_retryitem r WHERE r.connection_id = s.connection_id
            AND r.order_id = s.order_id AND r.version <= s.version
            AND r.status IN ('sent', 'pending', 'failed', 'discarded', 'superseded')),
        (SELECT count(*) FROM sync_sentorder t WHERE t.connection_id = s.connection_id
            AND t.order_id = s.order_id AND t.seeded AND t.version <= s.version)
    FROM sync_seenorder s
"""
_ORPHANS = """
    SELECT r.connection_id, r.order_id, r.version FROM sync_retryitem r LEFT JOIN sync_seenorder s
        ON s.connection_id = r.connection_id AND s.order_id = r.order_id
    WHERE s.version IS NULL OR r.version > s.version
"""
_SENT_WITHOUT_ROW = """
    SELECT r.connection_id, r.order_id, r.version FROM sync_retryitem r LEFT JOIN sync_sentorder t
        ON t.connection_id = r.connection_id AND t.order_id = r.order_id AND t.version = r.version
        AND t.event_id = r.event_id
    WHERE (r.status = 'sent') <> (t.id IS NOT NULL)
"""
_RECORDED_TWICE = """
    SELECT event_id, count(*) FROM sync_deliveryattempt WHERE delivered GROUP BY event_id HAVING count(*) > 1
"""


def judge_ledger(scratch: Scratch, verdict: Verdict) -> None:
    """versions seen = sent + pending + failed + discarded + superseded + seeded, for each order."""
    rows = scratch.query(_VERSIONS)
    verdict.orders = len(rows)
    verdict.versions = sum(row[2] for row in rows)
    verdict.unbalanced += [
        f"connection {c}, order {o}: {seen} versions, {items} items and {seeded} seeded"
        for c, o, seen, items, seeded in rows
        if seen != items + seeded
    ]
    for kind, statement in (("unknown item", _ORPHANS), ("sent, and not", _SENT_WITHOUT_ROW)):
        verdict.unbalanced += [
            f"{kind}: connection {c}, order {o} v{v}" for c, o, v in scratch.query(statement)
        ]
    try:
        scratch.run(str(ROOT / "manage.py"), "checkledger")
    except subprocess.CalledProcessError as error:
        verdict.unbalanced.append(f"checkledger: {error.stdout.decode()[-500:]}")
    verdict.repeated += [
        f"{event} is on record as delivered {n} times" for event, n in scratch.query(_RECORDED_TWICE)
    ]


def judge_readiness(scratch: Scratch, since: datetime, verdict: Verdict) -> None:
    """Nothing waits longer than it should, every connection was polled since, every window moved."""
    late = _moment(datetime.now(UTC) - OVERDUE)
    statements = {
        "items overdue": "SELECT count(*) FROM sync_retryitem WHERE status = 'pending' AND "
        f"(next_retry_at IS NULL OR next_retry_at < '{late}')",
        "items nobody looks after": "SELECT count(*) FROM sync_retryitem r JOIN sync_pollstate p ON "
        "p.connection_id = r.connection_id WHERE r.status = 'pending' AND p.deliver_at IS NULL",
        "polls overdue": f"SELECT count(*) FROM sync_pollstate WHERE next_poll_at < '{late}'",
        "deliveries overdue": f"SELECT count(*) FROM sync_pollstate WHERE deliver_at < '{late}'",
        "failed items": "SELECT count(*) FROM sync_retryitem WHERE status = 'failed'",
        "half-read windows": "SELECT count(*) FROM sync_pollstate WHERE page_to IS NOT NULL",
        "windows that stand still": f"SELECT count(*) FROM sync_pollstate WHERE window_to IS NULL OR "
        f"window_to < '{_moment(since)}'",
    }
    for what, statement in statements.items():
        number = scratch.number(statement)
        if number:
            verdict.stuck.append(f"{number} {what}")


def is_ready(scratch: Scratch, since: datetime) -> bool:
    verdict = Verdict()
    judge_readiness(scratch, since, verdict)
    waiting = scratch.number("SELECT count(*) FROM sync_retryitem WHERE status = 'pending'")
    return not verdict.stuck and not waiting


def _moment(moment: datetime) -> str:
    """As both databases compare it with their own."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
