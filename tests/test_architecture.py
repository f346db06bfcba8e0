"""The walls of the house: who may import whom, what a module may be called, how long things may get."""

import ast
import fnmatch

import pytest

from tests.conftest import ROOT

ROOMS = ("odoopoller", "connections", "sync")
FILES = sorted(p for room in ROOMS for p in (ROOT / room).rglob("*.py") if "migrations" not in p.parts)
TREES = {str(path.relative_to(ROOT)): ast.parse(path.read_text()) for path in FILES}
TESTS = sorted((ROOT / "tests").rglob("*.py"))

FORBIDDEN_NAMES = {"utils", "helpers", "common", "services", "manager", "signals"}

# What only some modules may import.
DOORS = {
    "requests": ["connections/http/client.py", "connections/http/transport.py"],
    "urllib3": ["connections/http/client.py", "connections/http/transport.py"],
    "httpx": [],
    "django_q": [
        "sync/tasks.py",
        "core/background/queue.py",
        "core/background/schedules.py",
        "core/background/runner/*",
        "sync/management/commands/runpoller.py",
    ],
    "odoopoller": ["odoopoller/*"],
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


@pytest.mark.parametrize("door", DOORS)
def test_only_the_doors_import(door):
    strangers = [
        f"{name}:{line}"
        for name, tree in TREES.items()
        for line, module in imports(tree)
        if module.split(".")[0] == door and not any(fnmatch.fnmatch(name, who) for who in DOORS[door])
    ]
    assert strangers == []


def test_connections_never_import_sync():
    strangers = [
        f"{name}:{line}"
        for name, tree in TREES.items()
        if name.startswith("connections/")
        for line, module in imports(tree)
        if module.split(".")[0] == "sync"
    ]
    assert strangers == []


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
