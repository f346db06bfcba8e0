"""Orders looked up by id: seen, hidden from our user, or gone, within few calls."""

import pytest

from connections.errors import Access, Temporary
from sync.sources.odoo.sightings import MOST_CALLS, company_of, told_apart


class Orders:
    """`there` exist, of them `hidden` are refused by id and left out by a search."""

    def __init__(self, there, hidden=(), companies=(1,)):
        self.there, self.hidden, self.companies = set(there), set(hidden), companies
        self.calls = 0

    def search(self, ids):
        self.calls += 1
        return [self._record(each) for each in ids if each in self.there - self.hidden]

    def read(self, ids):
        self.calls += 1
        if self.hidden.intersection(ids):
            raise Access("odoo_no_rights")
        return [self._record(each) for each in ids if each in self.there]

    def visible(self):
        return self.companies

    def _record(self, order_id):
        return {"id": order_id, "state": "sale", "write_date": "2026-11-20 12:00:00", "company_id": [1, "A"]}

    def look(self, companies):
        return told_apart(companies, search=self.search, read=self.read, visible=self.visible)


@pytest.mark.parametrize(
    ("there", "hidden", "asked", "seen", "hides"),
    [
        ([], [], [], [], []),
        ([1, 2, 3], [], [1, 2, 3], [1, 2, 3], []),
        ([1, 3], [], [1, 2, 3], [1, 3], []),
        ([1, 2, 3], [2], [1, 2, 3], [1, 3], [2]),
        ([1, 2], [2], [1, 2, 3], [1], [2]),
        ([1, 2, 3, 4], [1, 2, 3, 4], [1, 2, 3, 4, 5], [], [1, 2, 3, 4]),
        (range(1, 101), [7, 50, 99], range(1, 103), set(range(1, 101)) - {7, 50, 99}, [7, 50, 99]),
    ],
)
def test_what_is_hidden_is_told_from_what_is_gone(there, hidden, asked, seen, hides):
    orders = Orders(there, hidden)
    found = orders.look(dict.fromkeys(asked))
    assert set(found.seen) == set(seen)
    assert found.hidden == set(hides)


def test_everything_seen_is_one_call():
    orders = Orders(range(1, 1001))
    orders.look(dict.fromkeys(range(1, 1001)))
    assert orders.calls == 1


def test_a_company_that_was_taken_hides_its_orders_without_a_call_for_each():
    orders = Orders(range(1, 5001), hidden=range(1, 5000), companies=(1,))
    found = orders.look({each: 2 if each < 5000 else 1 for each in range(1, 5003)})
    assert len(found.hidden) == 4999 and set(found.seen) == {5000}
    assert orders.calls == 3


def test_what_could_not_be_told_in_time_counts_as_hidden():
    orders = Orders(range(1, 3001), hidden=range(1, 3001, 2))
    found = orders.look(dict.fromkeys(range(1, 3002)))
    assert orders.calls <= MOST_CALLS + 2
    assert set(range(1, 3001, 2)) <= found.hidden
    assert set(range(2, 3001, 2)) <= set(found.seen)


def test_another_fault_is_no_answer():
    orders = Orders([1])
    orders.read = lambda ids: (_ for _ in ()).throw(Temporary("odoo_unavailable"))
    with pytest.raises(Temporary):
        orders.look({1: None, 2: None})


@pytest.mark.parametrize(
    ("value", "company"),
    [
        ([3, "C"], 3),
        ({"id": 4}, 4),
        (False, None),
        (None, None),
        ([], None),
        ("x", None),
        ([True, "x"], None),
    ],
)
def test_a_company_however_it_is_written(value, company):
    assert company_of({"company_id": value}) == company
