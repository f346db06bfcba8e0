"""One database of the Odoo server: its shop, who sells in it, what happened to its orders, its backups."""

from collections.abc import Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta

from sandbox.odoo.shop import VERSIONS, Shop
from tests.histories.order_lives import Story
from tests.histories.shop_actions import Till

LOOKBACK_SECONDS = 1200
BOTH, ONLY_ONE = (1, 2), (1,)  # companies


@dataclass(frozen=True)
class Backup:
    """All of a database at one moment, and what had happened to its orders by then."""

    rows: Mapping
    lives: Mapping


@dataclass(eq=False)
class Database:
    """`names` are all it ever had, today's last."""

    shop: Shop
    story: Story
    till: Till
    names: list
    backups: list = field(default_factory=list)
    empty: bool = False  # it answers in good form that it has no orders
    sees: tuple = BOTH  # companies that our users may see

    @classmethod
    def of(cls, world, version, name, *, age=timedelta(0)):
        """`age`: made so long ago, whatever the clock says now."""
        shop = Shop(VERSIONS[version % 4], name, lambda: world.stamp_now() - age)
        shop.add("res.company", id=2, name="Second Company", partner_id=1, currency_id=1)
        story = Story(shop, LOOKBACK_SECONDS, world.server_now, world.clock)
        return cls(shop, story, Till(shop, story, world), [name])

    def copied(self, world, name):
        """Another one with all that is committed in this: from now on each goes its own way."""
        copy = Database.of(world, world.version, name)
        copy.shop.world.restore(self.shop.world.snapshot())
        copy.story.lives, copy.story.marks = deepcopy(self.story.lives), deepcopy(self.story.marks)
        copy.story.clock_jumped = self.story.clock_jumped
        return copy

    @property
    def name(self):
        return self.names[-1]

    def rename(self, name):
        self.names.append(name)
        self.shop.database = name

    # --- backups ------------------------------------------------------------------------------------

    def back_up(self):
        self.backups.append(Backup(self.shop.world.snapshot(), deepcopy(self.story.lives)))
        del self.backups[:-3]

    def restore(self, backup):
        """What was not committed is lost as well; the story goes on counting."""
        commits = self.shop.world.commits
        self.till.world.drop(self.till)
        self.shop.world.restore(backup.rows)
        self.shop.world.commits = commits + 1
        self.story.went_back(backup.lives)
        self.let_users_see(self.sees)

    # --- what our users see -------------------------------------------------------------------------

    def add_user(self, user_id, login, key):
        self.shop.add_user(user_id, login, key=key, company_ids=self.sees)

    def let_users_see(self, companies):
        """Take a company from our users, or give it back."""
        gained = set(companies) - set(self.sees)
        self.sees = companies
        for user in self.shop.users.by_id.values():
            user.company_ids = companies
            row = self.shop.world.tables["res.users"].get(user.id)
            if row is not None:
                row["company_ids"] = list(companies)
        self.story.was_unseen(lambda life: life.company in gained)

    def set_empty(self, empty):
        if self.empty and not empty:
            self.story.was_unseen(lambda life: True)
        self.empty = empty

    def is_seen(self, life):
        return not self.empty and life.company in self.sees

    @contextmanager
    def answering(self):
        """While one request is answered: an emptied database has no orders."""
        tables = self.shop.world.tables
        full = tables["sale.order"]
        if self.empty:
            tables["sale.order"] = {}
        try:
            yield
        finally:
            tables["sale.order"] = full
