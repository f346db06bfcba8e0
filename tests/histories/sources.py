"""What becomes of the databases behind the connections, and what people do about it."""

from datetime import timedelta

from connections.models import Circuit, Connection, Side
from sync.models import PollState, Question, QuestionKind, SeenOrder
from sync.polling import questions
from tests.histories.database import BOTH, ONLY_ONE, Database

LAGS = (1500, 1900, 3000, 7500)  # seconds, each beyond the look-back
ADDRESSES = ("http://127.0.0.1:8069", "http://127.0.0.1:8069/", "http://localhost:8069")
OLDER = timedelta(days=3, seconds=1357)  # the other database: no order of both was made in one second
STANDSTILL_SECONDS = 5
NEWEST = 10  # orders by which a database is known at the least


class SourceSteps:
    """Steps of a player, and the truth that its people know."""

    # --- a backup and its return ----------------------------------------------------------------------

    def do_backup(self, a, b):
        self.world.main.back_up()

    def do_restore(self, a, b):
        """Mostly the last one, now and then an older one."""
        backups = self.world.main.backups
        if not backups:
            return
        self.world.pass_time(STANDSTILL_SECONDS)
        self.world.main.restore(backups[-1 - (b % len(backups) if a % 4 == 0 else 0)])
        self.world.restores += 1

    def do_given_again(self, a, b):
        """Orders that were sent are lost, and the next ones get their numbers."""
        self.do_backup(a, b)
        self.till.sell(1 + a % 3, b)
        self.do_poll(a, b)
        self.world.pass_time((2, 30, 900, 3000)[b % 4])
        self.do_restore(1, 0)
        (self.do_sell, self.do_quote, self.do_sell, self.do_poll)[a // 3 % 4](a, b)
        if b % 3:
            self.do_poll(a, b)

    def do_undone(self, a, b):
        """Something that was sent has never been."""
        self.do_backup(a, b)
        (self.do_cancel, self.do_edit, self.do_cancel_and_delete, self.do_deliver_fully)[b % 4](a, b // 64)
        self.do_poll(a, b)
        self.world.pass_time((2, 30, 900, 3000, 200_000)[a % 5])
        self.do_restore(1, 0)

    # --- another name, place or user ------------------------------------------------------------------

    def do_rename(self, a, b):
        """The database gets a new name; people edit its connections before, at once or some time later."""
        main = self.world.main
        name = f"shop-{len(main.names)}"
        if b % 4 == 0:
            self._follow(main, name)
            self.world.pass_time(a % 100)
        self.world.odoo.shops[name] = self.world.odoo.shops.pop(main.name)
        main.rename(name)
        if b % 4 > 1:
            self._follow(main, name)

    def do_follow(self, a, b):
        """The connections of a renamed database are edited."""
        self._follow(self.world.main, self.world.main.name)

    def do_move(self, a, b):
        """The same database at another address, or read by another user of it."""
        connection = self._connection(a)
        if b % 2:
            self.edit(connection, odoo_url=ADDRESSES[b // 2 % len(ADDRESSES)])
            return
        number = next(self.world.user_numbers)
        login, key = f"poller{number}@example.com", f"key-of-poller-{number}-"
        for database in self.world.databases:
            database.add_user(number, login, key)
        self.edit(connection, username=login, api_key=key)

    def _follow(self, database, name):
        for connection in [*self.world.connections]:
            if connection.database in database.names:
                self.edit(connection, database=name)

    def edit(self, connection, **values):
        """As the admin and the command do; what runs already goes on with what it has loaded."""
        fresh = Connection.objects.get(pk=connection.pk)
        for name, value in values.items():
            setattr(fresh, name, value)
        fresh.save()
        self.world.connections[self.world.connections.index(connection)] = fresh
        Circuit.objects.filter(connection=fresh, side=Side.ODOO).reset()
        questions.look_again(fresh, self.world.now)
        PollState.objects.filter(connection=fresh).wake(self.world.now)

    # --- another database -----------------------------------------------------------------------------

    def do_another_database(self, a, b):
        """A connection is pointed at a database whose orders have the same numbers, or back at its own."""
        connection = self._connection(a)
        other = self._other()
        if connection.database in other.names:
            self.set_right(connection)
            return
        self.edit(connection, database=other.name)

    def do_swapped(self, a, b):
        """A connection that has read its own database is pointed at another one and works there."""
        self.do_poll(a, b)
        self.do_another_database(a, b)
        self._work(a, b)

    def do_copied(self, a, b):
        """The database is copied and each goes its own way; a connection is pointed at the copy."""
        connection = self._connection(a)
        copy = self._database("copy") or self._join(self.world.main.copied(self.world, "copy"))
        for till in (self.till, copy.till):
            self.world.pass_time(1.1)  # no order of both was made in one second
            till.sell(1 + a % 3, 0)
        self.do_poll(a, b)
        if self._can_be_told(connection, copy):
            self.edit(connection, database=copy.name)
            self._work(a, b)

    def _can_be_told(self, connection, copy):
        """One of its orders that go on has another one under its number there: else nobody could know."""
        known = SeenOrder.objects.filter(connection=connection, created_in_odoo__isnull=False)
        newest = known.exclude(state="cancel").order_by("-order_id")[:NEWEST]
        there = {row["id"]: row for row in copy.shop.world.rows("sale.order") if row["company_id"] == 1}
        return self.world.homes.get(connection.pk) is self.world.main and any(
            row.order_id in there
            and there[row.order_id]["create_date"].replace(microsecond=0) != row.created_in_odoo
            for row in newest
        )

    def do_sell_elsewhere(self, a, b):
        others = self.world.databases[1:]
        if others:
            others[b % len(others)].till.sell(1 + a % 3, b)

    def _work(self, a, b):
        work = (self.do_poll, self.do_resend, self.do_deep_check, self.do_reconcile, self.do_watch)
        work[b % len(work)](a, b)
        self.do_sell_elsewhere(a, b)
        self.do_poll(a, b)

    def _database(self, name):
        return next((each for each in self.world.databases if each.names[0] == name), None)

    def _join(self, database):
        """It stands on the same server, with the same users."""
        self.world.databases.append(database)
        self.world.odoo.add(database.shop)
        for user in self.world.main.shop.users.by_id.values():
            if user.id not in database.shop.users.by_id:
                database.add_user(user.id, user.login, user.keys[0].secret)
        return database

    def _other(self):
        other = self._database("other")
        if other is None:
            other = self._join(Database.of(self.world, self.world.version, "other", age=OLDER))
            for n in range(max(2, len(self.world.main.story.lives))):
                other.till.sell(1, n * 3)
            other.shop.world.clock = self.world.stamp_now
        return other

    def set_right(self, connection):
        """A person gives it back the database that its orders are of."""
        home = self.world.homes.get(connection.pk) or self.world.database_called(connection.database)
        if (connection.database, connection.enabled) != (home.name, True):
            self.edit(connection, database=home.name, enabled=True)

    # --- what cannot be seen --------------------------------------------------------------------------

    def do_empty(self, a, b):
        self.world.note_blindness()
        self.world.main.set_empty(True)

    def do_blank(self, a, b):
        """A database that is known answers that it has nothing, and is looked at closely."""
        self.till.sell(1 + b % 4, b)
        self.do_poll(a, b)
        self.do_empty(a, b)
        (self.do_deep_check, self.do_reconcile, self.do_watch)[a % 3](a, b)
        if b % 3 == 0:
            self.do_fill(a, b)

    def do_fill(self, a, b):
        self.world.main.set_empty(False)

    def do_hide_company(self, a, b):
        self.world.note_blindness()
        self.world.main.let_users_see(ONLY_ONE)

    def do_company_gone(self, a, b):
        """Orders end, or do not, while nobody of us sees them."""
        self.till.sell(5, b * 5)  # one of them is of the second company
        self.do_poll(a, b)
        self.do_hide_company(a, b)
        (self.do_cancel, self.do_edit, self.do_cancel_and_delete)[b % 3](a, b // 48)
        self.world.pass_time((2, 900, 3000, 300_000)[a % 4])
        (self.do_deep_check, self.do_reconcile, self.do_poll)[a % 3](a, b)
        if b % 2:
            self.do_show_company(a, b)

    def do_show_company(self, a, b):
        self.world.main.let_users_see(BOTH)

    def do_lag(self, a, b):
        """The clock that stamps orders falls behind the one in the answers, or is set right."""
        self.world.lag = timedelta(0) if b % 3 == 0 else timedelta(seconds=LAGS[a % len(LAGS)])
        self.world.clocks_moved()

    # --- questions ------------------------------------------------------------------------------------

    def do_answer(self, a, b):
        self.answer_questions(copy=b % 2 == 0)

    def answer_questions(self, *, copy=True):
        """A person answers what is true; what is not, or not known, is left to end by itself."""
        for question in Question.objects.open().order_by("pk"):
            connection = self.world.connection_of(question.connection_id)
            if question.kind == QuestionKind.ANOTHER_DATABASE:
                self._say_which_database(question, connection, copy=copy)
            elif question.kind == QuestionKind.OLD_ORDERS:
                questions.answer(question, "send", by="ana", now=self.world.now)
            elif all(self._is_over(connection, order_id) for order_id in question.detail["orders"]):
                questions.answer(question, "gone", by="ana", now=self.world.now)

    def _say_which_database(self, question, connection, *, copy):
        found = self.world.database_called(question.detail["now"]["database"])
        if found is self.world.homes[connection.pk]:
            questions.answer(question, "same", by="ana", now=self.world.now)
        elif copy:
            number = len(self.world.connections)
            made = questions.copy_as_new(
                question, name=f"Copy {number}", external_id=f"copy-{number}", by="ana", now=self.world.now
            )
            self.world.add_connection(made)
            self.set_right(connection)
        else:
            self.set_right(connection)

    def _is_over(self, connection, order_id):
        """The order that the ledger knows under this number is no longer confirmed."""
        life = self.world.homes[connection.pk].story.lives.get(order_id)
        if life is None or not life.is_confirmed:
            return True
        known = SeenOrder.objects.get(connection=connection, order_id=order_id)
        return known.created_in_odoo != life.born.replace(microsecond=0)

    def everything_as_it_should_be(self):
        """At the end: all databases answer and show everything, and connections read their own."""
        for database in self.world.databases:
            database.set_empty(False)
            database.let_users_see(BOTH)
        self._follow(self.world.main, self.world.main.name)
        for connection in [*self.world.connections]:
            asked = Question.objects.open().filter(connection=connection, kind=QuestionKind.ANOTHER_DATABASE)
            if not asked.exists():
                self.set_right(connection)


WEIGHTS = {
    "backup": 2,
    "restore": 2,
    "given_again": 3,
    "undone": 3,
    "rename": 1,
    "follow": 2,
    "move": 1,
    "another_database": 1,
    "sell_elsewhere": 1,
    "swapped": 2,
    "copied": 2,
    "empty": 1,
    "blank": 2,
    "fill": 4,
    "hide_company": 1,
    "company_gone": 2,
    "show_company": 2,
    "lag": 1,
    "answer": 3,
}
