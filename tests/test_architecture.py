"""The architecture: who may import whom, what a module may be called, how long things may get."""

import ast
import fnmatch
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.conftest import ROOT

# Imports run down only: the first knows nothing of the others.
APPS = ("connections", "core", "sync", "sandbox", "odoopoller")
# The same inside `sync`, by folder or flat module, the lowest first.
FLOORS_OF_SYNC = (
    ("causes", "models", "orders"),
    ("events", "sources"),
    ("ledger",),
    ("due", "tracing", "tracing_spans"),
    ("deliveries",),
    ("polling",),
    ("repair",),
    ("checks", "connection_test", "delete_connection", "erasure", "findings", "health", "retention"),
    ("legacy", "metrics"),
    ("background", "readiness"),
    ("tasks", "views"),
    ("runner",),
    ("admin", "management"),
)
FLOOR_OF_SYNC = {name: floor for floor, names in enumerate(FLOORS_OF_SYNC) for name in names}
# They import what has to be loaded, whatever it is.
REGISTERS = ("*/apps.py", "core/admin/__init__.py", "sync/admin/__init__.py")

FILES = sorted(p for app in APPS for p in (ROOT / app).rglob("*.py") if "migrations" not in p.parts)
TREES = {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in FILES}
TESTS = sorted((ROOT / "tests").rglob("*.py"))

FORBIDDEN_NAMES = {"utils", "helpers", "common", "services", "manager", "signals"}

# The ledger's tables, and what writes a table; `sync/ledger` alone does. Writes through a model in a variable
# are watched while the tests of sync run (tests/sync/only_writer.py).
LEDGER = {"SeenOrder", "RetryItem", "SentOrder", "DeliveryAttempt"}
WRITES = {
    "bulk_create",
    "bulk_update",
    "create",
    "delete",
    "get_or_create",
    "insert",
    "insert_objects",
    "save",
    "update",
    "update_or_create",
}

# What only some modules may import.
ONLY = {
    "requests": ["connections/http/client.py", "connections/http/transport.py"],
    "urllib3": ["connections/http/client.py", "connections/http/transport.py"],
    "httpx": [],
    "django_q": [
        "core/background/queue.py",
        "core/background/schedules.py",
        "core/background/runner/*",
        "sync/tasks.py",
        "sync/runner/*",
        "sync/management/commands/runpoller.py",
    ],
}


def imports(tree):
    """(line, dotted name) of everything a module imports, relative imports as a single dot."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, "." if node.level else str(node.module)


def functions(tree):
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return [node for node in ast.walk(tree) if isinstance(node, kinds)]


def length(function):
    return function.end_lineno - function.lineno + 1


def modules(tree):
    """Everything a module imports; of `from a import b` both a and a.b, which may be a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def place(name):
    """Where a file of ours is, as the app and the folder or flat module in it: sync, polling."""
    app, *rest = name.removesuffix(".py").split("/")
    return app, rest[0] if rest else "__init__"


def edges():
    """(file, its place, the place of what it imports), once each, between places."""
    files = {name.removesuffix(".py").removesuffix("/__init__").replace("/", "."): name for name in TREES}
    for name, tree in TREES.items():
        if not any(fnmatch.fnmatch(name, which) for which in REGISTERS):
            there = {place(files[module]) for module in modules(tree) if module in files}
            yield from ((name, place(name), each) for each in sorted(there - {place(name)}))


def is_up(here, there):
    (app, part), (other, other_part) = here, there
    if app == other == "sync":
        return FLOOR_OF_SYNC.get(other_part, -1) > FLOOR_OF_SYNC.get(part, -1)
    return APPS.index(other) > APPS.index(app)


def names(node):
    """What an expression or an annotation names, also inside a text."""
    for each in ast.walk(node):
        if isinstance(each, ast.Name):
            yield each.id
        elif isinstance(each, ast.Constant) and isinstance(each.value, str) and each.value.isidentifier():
            yield each.value


def root(node):
    """Where a chain of calls begins: RetryItem of RetryItem.objects.filter(...).update."""
    while isinstance(node, ast.Attribute | ast.Call | ast.Subscript):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""


def of_the_ledger(tree):
    """Names in a module that stand for rows of the ledger: models, queries of them, arguments."""
    found = set(LEDGER)
    for node in ast.walk(tree):
        if isinstance(node, ast.arg) and node.annotation and LEDGER & set(names(node.annotation)):
            found.add(node.arg)
    for _ in range(3):  # a query made of a query made of a query
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and root(node.value) in found:
                found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
    return found


def ledger_writes(tree):
    """Lines that write the ledger's tables, as far as the text tells."""
    ours = of_the_ledger(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        writes = isinstance(node.func, ast.Attribute) and node.func.attr in WRITES and root(node.func) in ours
        table = root(node.func) == "Table" and bool(node.args) and LEDGER & set(names(node.args[0]))
        if writes or table:
            yield node.lineno


@pytest.mark.parametrize("library", ONLY)
def test_only_these_modules_import(library):
    others = [
        f"{name}:{line}"
        for name, tree in TREES.items()
        for line, module in imports(tree)
        if module.split(".")[0] == library and not any(fnmatch.fnmatch(name, who) for who in ONLY[library])
    ]
    assert others == []


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("RetryItem.objects.filter(pk=1).update(body=None)", [1]),
        ("rows = SentOrder.objects.all()\nold = rows.filter(pk=1)\nold.delete()", [3]),
        ("def f(rows: QuerySet[SeenOrder]):\n    return rows.update(held=False)", [2]),
        ("DeliveryAttempt(order_id=1).save()", [1]),
        ("ATTEMPTS = Table(DeliveryAttempt, ())", [1]),
        ("rows = RetryItem.objects.all()\nQuestion.objects.filter(pk__in=rows).update(answer='')", []),
        ("LOGS = Table(SyncLog, ())", []),
    ],
)
def test_writes_of_the_ledger_are_found(code, lines):
    assert list(ledger_writes(ast.parse(code))) == lines


def test_only_the_ledger_writes_its_tables():
    others = [
        f"{name}:{line}"
        for name, tree in TREES.items()
        if not name.startswith("sync/ledger/")
        for line in ledger_writes(tree)
    ]
    assert others == []


def test_imports_run_down_only():
    assert [f"{name} imports {'.'.join(there)}" for name, here, there in edges() if is_up(here, there)] == []


def test_every_folder_of_sync_is_on_a_floor():
    here = {place(name)[1] for name in TREES if name.startswith("sync/")}
    assert here - {"__init__", "apps"} == set(FLOOR_OF_SYNC)


def test_no_folders_import_each_other_in_a_circle():
    graph = {}
    for _, here, there in edges():
        graph.setdefault(here, set()).add(there)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(".".join(place) for place in error.args[1]))


def test_no_relative_imports():
    assert [f"{name}:{line}" for name, tree in TREES.items() for line, m in imports(tree) if m == "."] == []


def test_no_import_inside_a_function():
    hidden = {
        f"{name}:{line}"
        for name, tree in TREES.items()
        for function in functions(tree)
        for line, _ in imports(function)
    }
    assert hidden == set()


def test_no_drawer_modules():
    drawers = [str(p.relative_to(ROOT)) for p in FILES if {p.stem, p.parent.name} & FORBIDDEN_NAMES]
    assert drawers == []


def test_every_module_says_what_lives_in_it():
    silent = [
        name
        for name, tree in TREES.items()
        if tree.body and not (ast.get_docstring(tree) or "").split("\n")[0].strip()
    ]
    assert silent == []


def test_no_function_is_long():
    long = [f"{n}:{f.name} {length(f)}" for n, t in TREES.items() for f in functions(t) if length(f) > 60]
    assert long == []


def test_nine_of_ten_functions_are_short():
    lengths = sorted(length(function) for tree in TREES.values() for function in functions(tree))
    assert lengths[int(len(lengths) * 0.9)] < 30


def test_no_file_is_long():
    def lines(path):
        return len(path.read_text().splitlines())

    long = [str(p.relative_to(ROOT)) for p in FILES if lines(p) > 400]
    assert long + [str(p.relative_to(ROOT)) for p in TESTS if lines(p) > 500] == []


def lenient(node):
    """Whether this check takes either of two texts, or anything at all from some databases."""
    either = isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or)
    parts = node.values if either else []
    texts = [
        p for p in parts if isinstance(p, ast.Compare) and isinstance(p.left, ast.Constant | ast.JoinedStr)
    ]
    return len(texts) > 1 or any("vendor" in ast.unparse(part) for part in parts)


def test_checks_know_what_they_expect():
    checks = [
        (path.name, node)
        for path in TESTS
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Assert)
    ]
    assert len(checks) > 3000
    assert [f"{name}:{node.lineno}" for name, node in checks if lenient(node.test)] == []
