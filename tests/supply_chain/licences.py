"""docs/licences.md: what production installs, under which licence, and why what is quiet may stay.

`python -m tests.supply_chain.licences` writes it anew.
"""

import re
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "licences.md"
HEAD = """# Packages and their licences

What `requirements.txt` installs. Written by `python -m tests.supply_chain.licences`; a test compares.
All may be used in a service under any licence of its own; psycopg (LGPL), certifi and orjson (MPL) are used
unchanged.

| package | licence | wanted by |
| --- | --- | --- |
"""
QUIET_HEAD = """
## Quiet packages

A package without a release in two years needs a reason to stay, looked at once a year (last: 2026-11-20).

| package | why it stays | what would replace it |
| --- | --- | --- |
"""
# name: (why, instead)
QUIET = {
    "django-fernet-fields-v2": (
        "One field class of ours stands on it; what it stores are plain Fernet tokens of `cryptography`.",
        "60 lines over `cryptography` in `connections/secrets/fields.py`; stored secrets stay as they are.",
    ),
    "django-picklefield": (
        "django-q2 keeps a task's result in it. Nobody but our own processes writes there.",
        "Goes with django-q2.",
    ),
    "mdurl": ("A port of finished code that rich's Markdown needs; we print no Markdown.", "Goes with rich."),
}
# Where the package itself does not say it in a form to read.
SAID_ELSEWHERE = {"async-timeout": "Apache-2.0", "sqlparse": "BSD-3-Clause", "requests": "Apache-2.0"}
SHORT = {
    "MIT License": "MIT",
    "Apache Software License": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "BSD License": "BSD",
}


def packages():
    """Name by name, with who wants it."""
    text = (ROOT / "requirements.txt").read_text()
    for block in re.split(r"\n(?=[a-z])", text):
        if found := re.match(r"([a-z0-9-]+)==", block):
            wanted_by = re.findall(r"^ +# +(?:via +)?((?:-r )?[\w.-]+)$", block, re.MULTILINE)
            yield found[1], [name for name in wanted_by if name != "via"]


def licence(name):
    if name in SAID_ELSEWHERE:
        return SAID_ELSEWHERE[name]
    told = metadata.metadata(name)
    classes = [c.split(" :: ")[-1] for c in told.get_all("Classifier", []) if c.startswith("License ::")]
    found = (
        told.get("License-Expression")
        or " and ".join(SHORT.get(c, c) for c in classes)
        or told.get("License")
    )
    if not found or "\n" in found:
        raise LookupError(f"{name} does not say its licence: add it to SAID_ELSEWHERE")
    return found


def page():
    rows = [f"| {name} | {licence(name)} | {', '.join(wanted_by)} |" for name, wanted_by in packages()]
    quiet = [f"| {name} | {why} | {instead} |" for name, (why, instead) in QUIET.items()]
    return HEAD + "\n".join(rows) + "\n" + QUIET_HEAD + "\n".join(quiet) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
