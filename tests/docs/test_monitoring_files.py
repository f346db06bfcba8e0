"""The dashboard and the rules in docs/ ask for metrics that exist, with labels that exist."""

import json
import re

import pytest
import yaml
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from core.background.heartbeat import Heartbeat
from core.models import ScheduleStatus
from tests import factories
from tests.conftest import ROOT
from tests.factories import logged, owed, polled, sent, tried

FOLDER = ROOT / "docs" / "monitoring"
METRIC = re.compile(r"odoopoller_[a-z_]+")


def expressions():
    dashboard = json.loads((FOLDER / "dashboard.json").read_text())
    yield from (t["expr"] for panel in dashboard["panels"] for t in panel["targets"])
    rules = yaml.safe_load((FOLDER / "alerts.yml").read_text())
    yield from (rule["expr"] for group in rules["groups"] for rule in group["rules"])


@pytest.fixture
def exported(client, connection):
    now = timezone.now()
    polled(connection, window_at=now)
    sent(connection)
    tried(owed(connection))
    logged(connection)
    factories.circuit(connection, "odoo", state="open")
    factories.found(connection, "polls_fail", since=now, seen_at=now)
    Heartbeat(workers=1).record(now)
    ScheduleStatus.objects.create(name="watch", started_at=now, good_at=now)
    families = text_string_to_metric_families(client.get("/metrics").content.decode())
    return {sample.name for family in families for sample in family.samples}


def test_every_metric_asked_for_is_there(exported):
    asked = {name for expression in expressions() for name in METRIC.findall(expression)}
    assert asked - exported == set()


def test_every_metric_there_is_explained(exported):
    told = set(METRIC.findall((ROOT / "docs" / "watching.md").read_text()))
    plain = {re.sub(r"_(bucket|count|sum)$", "", name) for name in exported}
    assert plain - told - {"odoopoller_build_info"} == set()


def test_every_rule_says_what_to_do():
    rules = yaml.safe_load((FOLDER / "alerts.yml").read_text())
    for group in rules["groups"]:
        for rule in group["rules"]:
            assert set(rule["annotations"]) == {"summary", "action"} and rule["for"]
