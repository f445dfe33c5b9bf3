"""What checks found, for other programs: JUnit XML for build servers, SARIF 2.1.0 for code review."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Final, TypeAlias
from xml.sax.saxutils import escape, quoteattr

from cyclopts import Parameter

from gateway.cli.audit.words import printable
from gateway.cli.policy.reporting import Check

Junit: TypeAlias = Annotated[Path | None, Parameter(help="Write what was found as JUnit XML, too.")]
Sarif: TypeAlias = Annotated[Path | None, Parameter(help="Write what was found as SARIF, too.")]
SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_PLACE: Final = re.compile(r"([^\s:]+\.(?:rego|json|yaml)):(\d+)(?::\d+)?:? ?(.*)")


def write_findings(checks: Sequence[Check], junit: Path | None, sarif: Path | None) -> None:
    """Write the files that were asked for."""
    if junit:
        junit.write_text(junit_xml(checks), encoding="utf-8")
    if sarif:
        sarif.write_text(sarif_json(checks), encoding="utf-8")


def junit_xml(checks: Sequence[Check]) -> str:
    """A suite with one case a check."""
    failed = sum(not check.ok for check in checks)
    cases = "".join(_case(check) for check in checks)
    head = f'<testsuite name="querywarden policy" tests="{len(checks)}" failures="{failed}">'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>{head}\n{cases}</testsuite></testsuites>\n'


def _case(check: Check) -> str:
    name = quoteattr(printable(check.name))
    if check.ok:
        return f'<testcase classname="policy" name={name}/>\n'
    said = "\n".join(map(printable, check.said.splitlines()))
    message = quoteattr(said.partition("\n")[0])
    return f'<testcase classname="policy" name={name}><failure message={message}>{escape(said)}</failure></testcase>\n'


def sarif_json(checks: Sequence[Check]) -> str:
    """One result for each place that a failed check names; one without a place for a check that names none."""
    rules = [{"id": f"policy/{check.name}"} for check in checks]
    driver = {"name": "querywarden", "rules": rules}
    results = [result for check in checks if not check.ok for result in _results(check)]
    run = {"tool": {"driver": driver}, "results": results}
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _results(check: Check) -> Iterator[dict[str, object]]:
    places = [(match, line) for line in check.said.splitlines() if (match := _PLACE.search(line))]
    for match, line in places:
        yield _result(check, match[3] or line.strip(), match[1], int(match[2]))
    if not places:
        yield _result(check, check.said, "", 0)


def _result(check: Check, text: str, file: str, line: int) -> dict[str, object]:
    found: dict[str, object] = {
        "ruleId": f"policy/{check.name}",
        "level": "error",
        "message": {"text": text or check.name},
    }
    if file:
        place = {"artifactLocation": {"uri": file}, "region": {"startLine": max(line, 1)}}
        found["locations"] = [{"physicalLocation": place}]
    return found
