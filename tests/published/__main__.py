"""Publishes the schema: `python -m tests.published`."""

import json
import sys

from tests.published import CURRENT, PUBLISHED, breaking

broken = breaking(json.loads(PUBLISHED.read_text()), json.loads(CURRENT.read_text()))
if broken:
    sys.exit("Not published, receivers would break:\n" + "\n".join(sorted(broken)))
PUBLISHED.write_text(CURRENT.read_text())
