"""Fault points: the code and the harnesses that hold on to them know the same names."""

import ast

import pytest

from connections import faultpoints
from tests.histories.world import WATCHED
from tests.system.crashes import PLANS
from tests.system.points import POINTS, REPLACED, SENDING_BEGINS, SENDING_ENDS
from tests.system.test_crashes import PLAN
from tests.system.test_run_twice import DELIVERY_MEETINGS, POLL_MEETINGS
from tests.test_architecture import TREES

KILLED = {point.moment for point in POINTS.values()} | {REPLACED, SENDING_BEGINS, SENDING_ENDS}
USED = KILLED | set(POLL_MEETINGS) | set(DELIVERY_MEETINGS) | set(WATCHED)


def calls(name):
    """(module, call) for each `faultpoints.<name>(...)` in the product."""
    for module, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == f"faultpoints.{name}":
                yield module, node


def test_every_name_of_the_harnesses_is_in_the_code_and_the_other_way_round():
    named = {ast.literal_eval(call.args[0]) for _, call in calls("at")}
    assert named == USED


def test_every_point_has_its_round_of_crashes():
    kills = {kill_point.partition("@")[0] for plan in (*PLANS.values(), PLAN) for kill_point in plan.kills}
    assert kills == set(POINTS)


def test_in_production_nobody_visits_them():
    assert not faultpoints.is_visited()
    assert [module for name in ("install", "visited") for module, _ in calls(name)] == []


def test_a_visitor_is_called_until_it_leaves():
    seen = []
    with faultpoints.visited(lambda *visit: seen.append(visit)):
        faultpoints.at("here", 7)
        faultpoints.at("there")
    faultpoints.at("gone")
    assert seen == [("here", 7), ("there", None)]
    assert not faultpoints.is_visited()


def test_a_visitor_may_end_what_it_visits():
    def die(name, about):
        raise SystemExit(name)

    with faultpoints.visited(die), pytest.raises(SystemExit, match="here"):
        faultpoints.at("here")
    assert not faultpoints.is_visited()
