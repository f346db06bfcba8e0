"""Private words stay out of the code's language: names, first lines of docstrings, log messages.

Texts that people read through gettext are not looked at yet: labels follow with the texts of the pages.
"""

import ast
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("bench", "connections", "core", "odoopoller", "sandbox", "sync", "tests")
# Each word as a pattern for one part of a name (`a_name`, `AName`), and what to say instead.
GONE = {
    "rooms?": "apps, folders, free space",
    "houses?|walls?|doors?|bells?": "what it is",
    "desks?": "admin",
    "adopt(s|ed|ing|ion)?": "import",
    "drain(s|ed|ing)?": "delivery session, dispatcher",
    "lanes?": "sender, thread",
    "linger(s|ed|ing)?": "gather",
    "founders?": "main process",
    "strangers?": "unknown",
    "saboteurs?|sabotage": "killer, kills",
    "mines|bombs?|fuses?": "kill point, targets",
    "victims?": "target",
    "whoever": "the caller, anyone who",
    "beats?|beating|pulses?": "heartbeat, or what it is",
    "bury|buries|buried|goodbyes?": "reap, exited",
    "hindrances?": "hold",
    "heed(s|ed)?": "handle, apply",
    "matters?|news": "finding, problem, change",
    "complaints?": "throttled log, errors",
    "tenants?": "connection",
    "examin(e|es|ed|ing|ation)": "connection test, conformance test",
    "standings?": "health state",
}
PHRASES = r"moving in|death bonds?|elder brothers?|make-believe|outages? whole"
# Common English in a sentence, private words in a name.
ONLY_IN_NAMES = {"matters?|news", "houses?|walls?|doors?|bells?", "beats?|beating|pulses?", "rooms?"}
# Words of others: of sockets, of asyncio, of the metric's published label.
FOREIGN = {"SO_LINGER", "drain"}
LOGGING = {"debug", "info", "warning", "error", "exception", "critical", "say"}


def ours():
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=ROOT, capture_output=True, text=True, check=True)
    paths = (Path(line) for line in listed.stdout.splitlines())
    return [
        p
        for p in paths
        if p.parts[0] in FOLDERS and "migrations" not in p.parts and p.name != "test_words.py"
    ]


def said_instead(word, *, in_text=False):
    for pattern, instead in GONE.items():
        if re.fullmatch(pattern, word, re.IGNORECASE) and not (in_text and pattern in ONLY_IN_NAMES):
            return instead
    return None


def parts(name):
    return re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name)


def names_in(tree):
    """Each name with its line: what is defined, used, imported, or given by keyword."""
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 1)
        for field in ("id", "attr", "arg", "name", "asname"):
            name = getattr(node, field, None)
            if isinstance(name, str):
                yield line, name


def texts_in(tree):
    """Each first line of a docstring and each log message, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield node.body[0].lineno, text.split("\n")[0]
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LOGGING:
            for argument in node.args:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    yield argument.lineno, argument.value


def found_in(path, source):
    tree = ast.parse(source)
    names = [(1, part) for part in path.with_suffix("").parts] + list(names_in(tree))
    for line, name in names:
        for word in parts(name) if name not in FOREIGN else ():
            if instead := said_instead(word):
                yield f"{path}:{line}: {name}: say {instead}, not {word}"
    for line, text in texts_in(tree):
        yield from (f"{path}:{line}: {fault}: {text}" for fault in faults_of(text))


def faults_of(text):
    for word in re.findall(r"[A-Za-z]+", text):
        if instead := said_instead(word, in_text=True):
            yield f"say {instead}, not {word}"
    if phrase := re.search(PHRASES, text, re.IGNORECASE):
        yield f"say it plainer than {phrase[0]!r}"


def test_private_words_are_found_where_they_are():
    source = '"""A bomb."""\nlane = 1\nlogger.info("The victim ends")\n'
    assert [each.split(":")[1] for each in found_in(Path("sync/x.py"), source)] == ["2", "1", "3"]
    assert not list(found_in(Path("sync/x.py"), '"""A plain line; it matters."""\ndelivery = 1\n'))


def test_names_docstrings_and_log_lines_say_plain_words():
    found = [each for path in ours() for each in found_in(path, (ROOT / path).read_text())]
    assert not found, "\n" + "\n".join(found)


def test_no_module_is_a_gerund_beside_its_own_noun():
    stems = {(path.parent, path.stem) for path in ours()}
    gerunds = [(folder, name) for folder, name in stems if name.endswith("ing") and "_" not in name]
    beside = [
        f"{folder}/{name}.py"
        for folder, name in gerunds
        if any((folder, name[:-3] + end) in stems for end in ("", "e", "er", "s", "es"))
    ]
    assert not beside
