"""How the policy commands say what they found: lines for people, or one JSON document."""

import json
import sys
from collections.abc import Sequence

import msgspec

SAYS_YES, SAYS_NO = 0, 1


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    name: str
    ok: bool
    said: str = ""
    """why not, or how much; may have several lines"""


def report(checks: Sequence[Check], *, as_json: bool) -> int:
    """Print checks; the exit code says whether all hold."""
    fine = all(check.ok for check in checks)
    if as_json:
        sys.stdout.write(json.dumps({"ok": fine, "checks": msgspec.to_builtins(checks)}, indent=2) + "\n")
    else:
        sys.stdout.write("".join(in_words(check) for check in checks))
    return SAYS_YES if fine else SAYS_NO


def in_words(check: Check) -> str:
    """One line, and the lines of what was said indented below it."""
    first, *rest = check.said.splitlines() or [""]
    lines = [f"{'ok' if check.ok else 'FAILED':<7} {check.name}{f': {first}' if first else ''}", *rest]
    return "\n        ".join(lines) + "\n"


def show(facts: dict[str, object], *, as_json: bool) -> None:
    """Print facts: a JSON object, or a line each."""
    if as_json:
        sys.stdout.write(json.dumps(facts, indent=2) + "\n")
        return
    width = max(map(len, facts))
    for name, value in facts.items():
        sys.stdout.write(f"{name:<{width}}  {'-' if value in (None, '') else value}\n")
