"""`querywarden policy log`: which bundle decided when, by whose order and why; what was refused; what was stopped."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import msgspec
from cyclopts import Parameter
from cyclopts.validators import Number

from gateway.cli.audit.desk import reading
from gateway.cli.audit.words import moment, printable
from gateway.config.load import load
from gateway.core.events import EventType
from gateway.evidence.leaf import Leaf, decode_leaf
from gateway.evidence.view import open_views

FINE: Final = 0
ACTIVATED: Final = frozenset({EventType.BUNDLE_ACTIVATED.value, EventType.BUNDLE_ROLLED_BACK.value})
TYPES: Final = ACTIVATED | {
    EventType.BUNDLE_REJECTED.value,
    EventType.BUNDLE_SHADOWED.value,
    EventType.POLICY_STOPPED.value,
    EventType.POLICY_STOP_LIFTED.value,
}
_MARKS: Final = tuple(f'"type":"{name}"'.encode() for name in sorted(TYPES))
AT_LEAST_ONE: Final = Number(gte=1)


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One leaf about policy itself."""

    time: str
    type: str
    sha256: str = ""
    revision: str = ""
    sequence: int | None = None
    previous: str = ""
    who: str = ""
    why: str = ""
    reason: str = ""
    code: str = ""
    detail: str = ""
    stop: str = ""
    kind: str = ""
    name: str = ""


def log(
    *,
    config: Annotated[Path, Parameter(name=["--config", "-c"], help="The gateway's configuration.")],
    limit: Annotated[int, Parameter(validator=AT_LEAST_ONE, help="How many at most.")] = 50,
    as_json: Annotated[bool, Parameter(name="--json", negative="", help="Print one JSON document a line.")] = False,
) -> int:
    """What became of bundles here, the latest first: activated, rolled back, rejected, shadowed; and of stops."""
    with reading():
        for _, entry in zip(range(limit), entries(load(config).data_dir), strict=False):
            line = msgspec.json.encode(entry).decode() if as_json else in_words(entry)
            sys.stdout.write(line + "\n")
    return FINE


def entries(data_dir: Path) -> Iterator[Entry]:
    """The latest first. Raises OSError and ValueError."""
    for view in open_views(data_dir):
        for _, raw in view.downwards(view.size):
            if any(mark in raw for mark in _MARKS):
                leaf = decode_leaf(raw)
                if leaf.type in TYPES:
                    yield _entry(leaf)


def activations(data_dir: Path) -> Iterator[Entry]:
    """Those by which a bundle came into force."""
    return (entry for entry in entries(data_dir) if entry.type in ACTIVATED)


def _entry(leaf: Leaf) -> Entry:
    facts = leaf.facts()
    sequence = facts.get("sequence")
    texts = {
        name: str(facts.get(name, ""))
        for name in ("revision", "why", "reason", "code", "detail", "stop", "kind", "name")
    }
    return Entry(
        time=moment(int(leaf.t)),
        type=leaf.type,
        sha256=leaf.bundle.removeprefix("sha256:"),
        sequence=sequence if isinstance(sequence, int) else None,
        previous=str(facts.get("previous", "")).removeprefix("sha256:"),
        who=leaf.who.id if leaf.who else "",
        **texts,
    )


def in_words(entry: Entry) -> str:
    """One line for people; what came from outside cannot move their cursor."""
    number = "" if entry.sequence is None else f"release {entry.sequence}"
    about = entry.sha256[:12] or " ".join(part for part in (entry.kind, entry.name) if part)
    said = [entry.revision, number, entry.stop, entry.code, entry.detail]
    by = f"by {entry.who}" if entry.who else ""
    tail = [entry.why, by, f"“{entry.reason}”" if entry.reason else ""]
    parts = [entry.time, f"{entry.type:<18}", about, *said, *(part and f"· {part}" for part in tail)]
    return printable("  ".join(part for part in parts if part))
