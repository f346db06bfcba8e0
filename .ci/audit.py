"""Known vulnerabilities of what production installs. Ends with 1 for one not allowed, 2 if it cannot check.

`.ci/audit-allowed.toml` holds what is known and accepted for a while, each with a reason and a last day.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
ALLOWED = HERE / "audit-allowed.toml"
BAD, UNSURE = 1, 2


@dataclass(frozen=True)
class Verdict:
    """What to print, and the exit code."""

    lines: list[str]
    code: int


def allowed(file: Path = ALLOWED) -> dict[str, dict[str, Any]]:
    """By id. Raises ValueError for an entry without a reason or a last day."""
    entries = {entry.get("id", ""): entry for entry in tomllib.loads(file.read_text()).get("allowed", [])}
    for name, entry in entries.items():
        if not name or not str(entry.get("reason", "")).strip() or not isinstance(entry.get("until"), date):
            raise ValueError(f"{file.name}: {name or 'an entry'} needs id, reason and until (a date)")
    return entries


def judge(report: dict[str, Any], entries: dict[str, dict[str, Any]], today: date) -> Verdict:
    """`report` is what pip-audit says as JSON."""
    lines, bad, met = [], False, set()
    packages = report["dependencies"]
    for package in packages:
        for found in package.get("vulns", []):
            names = {found["id"], *found.get("aliases", [])}
            entry = next((entries[name] for name in names if name in entries), None)
            about = f"{package['name']} {package['version']}: {found['id']}"
            fixed = ", ".join(found.get("fix_versions", [])) or "no version yet"
            if entry is None:
                lines.append(f"VULNERABLE  {about}, mended in {fixed}")
            elif entry["until"] < today:
                lines.append(f"EXPIRED     {about} was allowed until {entry['until']}; mended in {fixed}")
            else:
                met.add(entry["id"])
                lines.append(f"allowed     {about} until {entry['until']}: {entry['reason']}")
            bad |= not lines[-1].startswith("allowed")
    unsure = [package["name"] for package in packages if "skip_reason" in package]
    if unsure or not packages:
        lines.append(
            f"COULD NOT CHECK {len(unsure) or 'any'} of {len(packages)} packages: {', '.join(unsure[:9])}"
        )
    elif not bad:
        lines += [f"no longer needed in {ALLOWED.name}: {name}" for name in sorted(entries.keys() - met)]
        lines.append(f"{len(packages)} packages checked, nothing known that is not allowed.")
    return Verdict(lines, BAD if bad else UNSURE if unsure or not packages else 0)


def ask(pip_audit: str, requirements: str) -> dict[str, Any] | str:
    """Its report, or why there is none."""
    command = [
        pip_audit,
        "-r",
        requirements,
        "--no-deps",
        "--disable-pip",
        "-f",
        "json",
        "--progress-spinner=off",
    ]
    try:
        ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        return json.loads(ended.stdout)
    except (OSError, subprocess.TimeoutExpired) as error:
        return type(error).__name__
    except ValueError:
        return (ended.stderr.strip().splitlines() or ["no answer"])[-1][:300]


def main(pip_audit: str, requirements: str) -> int:
    report = ask(pip_audit, requirements)
    if isinstance(report, str):
        print(f"COULD NOT CHECK: {report}")
        return UNSURE
    verdict = judge(report, allowed(), datetime.now(UTC).date())
    print("\n".join(verdict.lines))
    return verdict.code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
