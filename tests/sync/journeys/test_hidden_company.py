"""A company that the user does not see has no orders, and Odoo says nothing: it is a finding."""

import pytest

from connections.errors import RemoteError
from connections.odoo import account
from sync import findings
from sync.models import PollState
from sync.repair import reconcile


def causes(world):
    return {(finding.code, finding.detail) for finding in findings.watch(clock=world.clock)}


def see(world, companies):
    with world.shop.begin() as tx:
        tx.write("res.users", world.shop.poller.id, {"company_ids": list(companies)})


HIDDEN = ("odoo_company_not_visible", "res.company 7")


def choose(world, company_id):
    """As a person does: the form saves, and the next poll reads the row anew."""
    world.connection.company_id = company_id
    world.connection.save()
    world.clock.advance(60)


@pytest.mark.parametrize("version", [16, 17, 19])
def test_the_first_poll_knows_it(make_world, version):
    world = make_world(version, company_id=7)
    world.poll()
    assert causes(world) == {HIDDEN}


def test_the_first_poll_after_a_change_knows_it_and_that_it_is_over(world):
    world.confirmed()
    assert causes(world) == set()
    choose(world, 7)
    assert world.poll().orders_found == 0
    assert causes(world) == {HIDDEN}
    choose(world, 1)
    assert causes(world) == set()  # what was found was found of another company
    assert world.poll().orders_found == 1
    assert causes(world) == set()
    assert account.HIDDEN_COMPANY not in world.state.account


def test_a_company_taken_from_the_user_is_found_by_the_daily_look_and_so_is_its_return(make_world):
    world = make_world(company_id=1)
    world.poll()
    world.clock.advance(60)
    for seen, expected in (((2,), {("odoo_company_not_visible", "res.company 1")}), ((1, 2), set())):
        see(world, seen)
        PollState.objects.update(reconcile_at=world.clock())
        reconcile.reconcile_due(world.connection, clock=world.clock)
        world.poll()
        assert causes(world) == expected


def test_the_rest_of_what_is_known_of_the_account_stays(world):
    PollState.objects.update(account={"own_documents_only": True})
    choose(world, 7)
    world.poll()
    assert {code for code, _ in causes(world)} == {"odoo_own_documents_only", "odoo_company_not_visible"}


def test_an_idle_poll_asks_no_more_than_before(make_world):
    world = make_world(company_id=1)
    world.poll()
    world.clock.advance(60)
    assert world.poll().calls == 1


def test_a_server_that_does_not_say_gives_no_finding(monkeypatch, world):
    def refuse(client):
        raise RemoteError("odoo_no_rights")

    monkeypatch.setattr(account, "company_ids", refuse)
    choose(world, 7)
    assert world.poll().error_code == ""
    assert causes(world) == set()
