"""What is named: statements of the database's log that are not ours, put together by who made them and from where."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import msgspec

from gateway.evidence.reconcile_record import Record
from gateway.evidence.scrub import scrub_text

GROUPS_MAX: Final = 1000
"""who, from where; what comes after is put together by its kind only"""
EXAMPLES_MAX: Final = 10
TEXT_MAX: Final = 400
"""characters of a redacted statement"""


class Kind(StrEnum):
    """Why it is no statement of ours."""

    UNMARKED = "unmarked"
    """a statement without a mark: it went round the gateway"""
    CONNECTION = "connection"
    """a session on that database that is none of ours"""
    REPLICATION = "replication"
    """a connection that copies the server's data by replication"""
    UNKNOWN = "unknown_mark"
    """a mark that our log does not have: it was made up, or our log is not whole"""
    REFUSED = "refused_mark"
    """the mark of a decision that refused"""
    FOREIGN = "foreign_mark"
    """a mark of another session than the one that used it"""
    ALTERED = "altered"
    """a mark of ours before another text than the one it was given to"""
    REUSED = "reused"
    """a mark of ours that was used oftener than was decided"""
    CLAIMED = "claimed_session"
    """a server session that calls itself by the name of a session of ours, and is not the one we opened"""
    PRETENDED = "pretended"
    """calls itself the gateway's own connection, and asks what the gateway does not"""


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One statement of a finding."""

    time_ns: int
    text: str
    """redacted, cut at 400 characters"""
    mark: str = ""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One way in that is not ours."""

    kind: Kind
    user: str
    application: str
    address: str
    count: int
    first_ns: int
    last_ns: int
    known: bool
    """of a user who was said to come another way"""
    examples: tuple[Example, ...]
    """different ones, the first that were met"""


@dataclass(slots=True)
class _Group:
    first_ns: int
    last_ns: int
    known: bool
    count: int = 0
    examples: dict[str, Example] = field(default_factory=dict)


@dataclass(slots=True)
class Findings:
    """Gathers them, in bounded memory."""

    say_no: bool = False
    """one of them is not of a known user"""
    _groups: dict[tuple[Kind, str, str, str], _Group] = field(default_factory=dict)

    def add(  # noqa: PLR0913 -- what there is to say of one
        self, kind: Kind, record: Record, text: str, *, mark: str = "", known: bool = False, name: str = ""
    ) -> None:
        """One more. `text` is redacted."""
        self.say_no = self.say_no or not known
        who = (kind, record.user, name or record.application or "", record.address)
        if who not in self._groups and len(self._groups) >= GROUPS_MAX:
            who = (kind, "…", "…", "…")
        group = self._groups.setdefault(who, _Group(record.time_ns, record.time_ns, known))
        group.count += 1
        group.known = group.known and known
        group.first_ns, group.last_ns = min(group.first_ns, record.time_ns), max(group.last_ns, record.time_ns)
        if text not in group.examples and len(group.examples) < EXAMPLES_MAX:
            group.examples[text] = Example(time_ns=record.time_ns, text=_clean(text), mark=mark)

    def sorted(self) -> tuple[Finding, ...]:
        """All of them, by time."""
        return tuple(sorted(self._each(), key=lambda finding: (finding.known, finding.first_ns)))

    def _each(self) -> Iterator[Finding]:
        for (kind, user, application, address), group in self._groups.items():
            yield Finding(
                kind=kind,
                user=_clean(user),
                application=_clean(application),
                address=_clean(address),
                count=group.count,
                first_ns=group.first_ns,
                last_ns=group.last_ns,
                known=group.known,
                examples=tuple(group.examples.values()),
            )


def _clean(text: str) -> str:
    shown = scrub_text(text)[0]
    return shown if len(shown) <= TEXT_MAX else shown[:TEXT_MAX] + "…"
