"""Take connections over from the old poller: plan all of it, then write if nothing stands against it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from connections.forms import ConnectionForm, filled
from connections.models import Connection, Start, odoo_lease_key
from connections.plain_text import one_line
from connections.secrets.fields import reveal
from sync import ledger
from sync.legacy.database import OldConnection, OldShop, Unusable
from sync.legacy.history import Fate, History, OrderHistory, history_of
from sync.legacy.import_orders import import_orders
from sync.models import PollState

SHORTEST, LONGEST = 5, 86_400  # seconds between polls


@dataclass(slots=True)
class Takeover:
    """One shop's way in. `connection`: it is here; `known`: since before; `begun`: and was polled here."""

    old: OldConnection
    history: History
    form: ConnectionForm
    connection: Connection | None
    known: bool = False
    begun: bool = False
    added: int = 0

    @property
    def generated_secret(self) -> str:
        return "" if self.known else self.form.generated_secret

    @property
    def secret_problem(self) -> str:
        return "" if self.known else self.form.secret_problem


def plan(shops: Sequence[OldShop], *, look_back: timedelta, resend_given_up: bool = False) -> list[Takeover]:
    """What would be done; writes nothing. Raises Unusable with every sentence that stands against it."""
    takeovers, problems = [], _doubles(shops)
    for shop in shops:
        takeover = _plan(shop, look_back)
        problems += _problems(takeover)
        if resend_given_up:
            _owe_what_was_given_up(takeover.history.orders)
        takeovers.append(takeover)
    if problems:
        raise Unusable("\n".join([_("Nothing was imported:"), *problems]))
    return takeovers


def carry_out(takeover: Takeover, *, enable: bool, now: datetime) -> Connection:
    """One transaction for each shop, so that it is there with all it knows or not at all.

    Doing it again adds what is new. A connection that has been polled here keeps its place and its ledger.
    """
    with transaction.atomic():
        if takeover.connection is None:
            takeover.connection = takeover.form.save()
        connection = takeover.connection
        PollState.objects.create_missing(now)
        ledger.lock([connection.pk])
        if not takeover.begun:
            ledger.forget_imported(connection.pk)
            _set_line(connection, takeover.history, now)
        takeover.added = import_orders(connection, takeover.history.orders, now)
        if enable and takeover.old.enabled:
            Connection.objects.filter(pk=connection.pk).update(enabled=True)
            PollState.objects.filter(connection=connection).wake(now)
    return connection


def _plan(shop: OldShop, look_back: timedelta) -> Takeover:
    old = shop.connection
    history = history_of(shop, look_back=look_back)
    connection = Connection.objects.without_secrets().filter(external_id=old.external_id).first()
    begun = PollState.objects.filter(connection=connection, started_at__isnull=False).exists()
    form = filled(None, _values(old, history))
    return Takeover(old, history, form, connection, known=connection is not None, begun=begun)


def _values(old: OldConnection, history: History) -> dict[str, Any]:
    started: dict[str, Any] = {"start": Start.NOW.value}
    if history.read_from is not None:
        started = {"start": Start.DATE.value, "start_at": history.read_from}
    return started | {
        "name": old.name,
        "external_id": old.external_id,
        "enabled": False,  # until a person says that the old poller has stopped
        "odoo_url": old.odoo_url,
        "database": old.database,
        "username": old.username,
        "api_key": reveal(old.api_key),
        "webhook_url": old.webhook_url,
        "webhook_secret": reveal(old.webhook_secret),
        "legacy_secret": True,  # the receiver of the old poller has it
        "poll_interval_seconds": min(LONGEST, max(SHORTEST, old.poll_interval_seconds)),
    }


def _problems(takeover: Takeover) -> list[str]:
    old, connection = takeover.old, takeover.connection
    if connection is None:
        sentences = [text for texts in takeover.form.errors.values() for text in texts]
        return [_about(old, str(sentence)) for sentence in sentences]
    if connection.odoo_lease_key != odoo_lease_key(old.odoo_url, old.database):
        clash = _(
            "The connection “%(name)s” has its id, %(id)s, but reads another Odoo. Give that one another id, "
            "or leave this one out (--only)."
        )
        return [_about(old, clash % {"name": connection.name, "id": old.external_id})]
    return []


def _doubles(shops: Sequence[OldShop]) -> list[str]:
    names = Counter(shop.connection.name.lower() for shop in shops)
    return [
        _about(shop.connection, _("Its name is there twice in the old file: change one of them there."))
        for shop in shops
        if names[shop.connection.name.lower()] > 1
    ]


def _about(old: OldConnection, sentence: str) -> str:
    return f"{old.id} “{one_line(old.name)}”: {sentence}"


def _owe_what_was_given_up(orders: Sequence[OrderHistory]) -> None:
    for order in orders:
        if order.untold is not None and order.untold.fate is Fate.GAVE_UP:
            order.untold = replace(order.untold, fate=Fate.OWED)


def _set_line(connection: Connection, history: History, now: datetime) -> None:
    """From when on reading begins, and up to when unknown orders count as delivered."""
    start = Start.NOW if history.read_from is None else Start.DATE
    Connection.objects.filter(pk=connection.pk).update(start=start, start_at=history.read_from)
    PollState.objects.filter(connection=connection).update(
        taken_over_until=history.told_until,
        deep_check_at=now,  # it reads what is owed, as soon as the first window was read
    )
