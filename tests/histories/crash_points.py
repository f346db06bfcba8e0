"""One worker's run of a task, which may die before any statement, at any fault point or around any call."""

from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connection


class Crash(BaseException):
    """The process is gone: nothing of it may run on, and nobody may catch this."""

    def __init__(self, run):
        super().__init__(f"run {run.number} died")
        self.run = run


@dataclass
class Run:
    """`dies_at` is ("statement" | "point" | "call" | "answer", n).

    That is before the nth statement, at the nth fault point, before the nth call or after it.
    """

    number: int
    kind: str
    dies_at: tuple = ("", 0)
    statements: int = 0
    points: int = 0
    calls: int = 0
    dead: bool = False
    robbed: bool = False  # it stood still for so long that others took over

    def die(self):
        self.dead = True
        raise Crash(self)

    def check(self, what, count):
        if self.dead or self.dies_at == (what, count):
            self.die()


class Runs:
    """The runs under way, innermost last: while one waits for an answer, another may begin and end."""

    def __init__(self):
        self.stack = []
        self.counts = {}
        self.crashes = 0
        self._depth = 0

    @contextmanager
    def run(self, kind, dies_at=("", 0)):
        """A worker does something; a crash of it ends here."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        run = Run(sum(self.counts.values()), kind, dies_at)
        self.stack.append(run)
        try:
            yield run
        except Crash as crash:
            if crash.run is not run:
                raise
            self.crashes += 1
            connection.needs_rollback = False  # a half-done statement of ours, not of the test's transaction
        finally:
            self.stack.pop()

    @property
    def current(self):
        return self.stack[-1] if self.stack else None

    @contextmanager
    def watching(self):
        """See every statement, and know how deep transactions are when nobody works."""
        self._depth = len(connection.savepoint_ids)
        with connection.execute_wrapper(self._on_statement):
            yield

    @property
    def in_transaction(self):
        return len(connection.savepoint_ids) > self._depth

    def visit(self, point, about):
        """The run under way has come to a fault point."""
        run = self.current
        if run is not None:
            run.points += 1
            run.check("point", run.points)

    def _on_statement(self, execute, sql, params, many, context):
        run = self.current
        if run is not None and not sql.startswith(("ROLLBACK", "RELEASE")):
            run.statements += 1
            run.check("statement", run.statements)
        return execute(sql, params, many, context)
