"""`querywarden check`: every error of a configuration at once, with file and line."""

import json
import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gateway.config.load import Examination, examine

FINE, BAD = 0, 2


def check(
    *,
    config: Annotated[Path, Parameter(name=["--config", "-c"])],
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Validate a configuration without connecting to anything. Exits 2 when it cannot be used.

    Parameters
    ----------
    config
        The configuration file.
    as_json
        Print findings and warnings as JSON.

    """
    result = examine(config)
    if as_json:
        document = {"findings": result.findings, "warnings": result.warnings, "ok": result.settings is not None}
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
    else:
        sys.stdout.write(in_words(config, result))
    return FINE if result.settings is not None else BAD


def in_words(config: Path, result: Examination) -> str:
    """What a person reads: findings, warnings, a last line that sums up."""
    lines = [*result.findings, *(f"{warning} (warning)" for warning in result.warnings)]
    count = len(result.findings)
    lines.append(f"{config}: {'fine' if result.settings is not None else f'{count} to correct'}")
    return "\n".join(lines) + "\n"
