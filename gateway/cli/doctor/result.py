"""What a probe found: fine, worth a note, not as it should be, or not reachable; and what to do about it."""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from gateway.cli.audit.words import printable
from gateway.core.errors import GatewayError

AWAY = frozenset(
    {
        "upstream.unreachable",
        "upstream.timeout",
        "upstream.lost",
        "upstream.too_many",
        "policy.opa_down",
        "policy.opa_slow",
    }
)
"""codes of errors that say nothing about the other side but that it is not there now"""


class Status(StrEnum):
    """How it is."""

    FINE = "fine"
    NOTE = "note"
    NO = "no"
    UNREACHABLE = "unreachable"


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    probe: str
    about: str
    """which connection, issuer or file"""
    status: Status
    text: str
    remedy: str = ""


def of_error(probe: str, about: str, error: GatewayError) -> Result:
    """What an error says that ended a probe."""
    return Result(
        probe=probe,
        about=about,
        status=Status.UNREACHABLE if error.code in AWAY else Status.NO,
        text=f"{error.entry.message}{f': {error.detail}' if error.detail else ''}",
        remedy=error.entry.remedy,
    )


def in_words(results: Sequence[Result]) -> str:
    """A line for each result, what to do below it, and a last line that sums up."""
    probes = max((len(each.probe) for each in results), default=0)
    lines: list[str] = []
    for each in results:
        about = f"{each.about}: " if each.about else ""
        lines.append(f"{each.status:<11}  {each.probe:<{probes}}  {printable(about + each.text)}")
        if each.remedy:
            lines.append(f"{'':<11}  {'':<{probes}}  -> {printable(each.remedy)}")
    counts = [(status, sum(each.status is status for each in results)) for status in Status]
    lines.append(", ".join(f"{count} {status}" for status, count in counts if count))
    return "\n".join(lines) + "\n"
