"""What stored decisions say, by their hash: codes, grants that were used, columns that were shown; each read once."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple

import msgspec

from gateway.cli.audit.exporting.tally import Group
from gateway.evidence.leaf import NAMED

GRANTED: Final = "access.granted"
CLEARED: Final = "pci.cardholder.cleared"
GLASS: Final = "pci.breakglass.used"
Body = Callable[[str], bytes | None]


class Said(NamedTuple):
    """One decision, as far as reports look."""

    codes: tuple[str, ...] = ()
    grants: tuple[str, ...] = ()
    """`group/connection/relations/action`"""
    shown: tuple[str, ...] = ()
    """columns that a clearance or an emergency showed"""
    masked: tuple[str, ...] = ()


class _Reason(msgspec.Struct, frozen=True):
    code: str
    args: dict[str, str] = {}


class _Mask(msgspec.Struct, frozen=True):
    schema: str
    relation: str
    column: str


class _Obligations(msgspec.Struct, frozen=True):
    masks: tuple[_Mask, ...] = ()


class _Answer(msgspec.Struct, frozen=True):
    reasons: tuple[_Reason, ...] = ()
    obligations: _Obligations = _Obligations()


def read_answers(names: Iterable[str], body: Body) -> dict[str, Said]:
    """`sha256:…` → what it says; one that is not kept any more says nothing. Raises OSError, ValueError."""
    return {name: _said(body(name.removeprefix(NAMED))) for name in set(names) if name}


def _said(raw: bytes | None) -> Said:
    if raw is None:
        return Said()
    try:
        answer = msgspec.json.decode(raw, type=_Answer)
    except msgspec.DecodeError:
        return Said()
    return Said(
        codes=tuple(sorted({reason.code for reason in answer.reasons})),
        grants=_args(answer, {GRANTED}, "grant"),
        shown=_args(answer, {CLEARED, GLASS}, "column"),
        masked=tuple(sorted(f"{m.schema}.{m.relation}.{m.column}" for m in answer.obligations.masks)),
    )


def _args(answer: _Answer, codes: set[str], name: str) -> tuple[str, ...]:
    return tuple(sorted({r.args[name] for r in answer.reasons if r.code in codes and name in r.args}))


def by_code(answers: Mapping[str, Said], groups: Mapping[Group, int]) -> dict[str, int]:
    """Code → how many decisions gave it, the gateway's own refusals included."""
    found: Counter[str] = Counter()
    for group, count in groups.items():
        for code in {*answers.get(group.answer, Said()).codes, group.refused} - {""}:
            found[code] += count
    return dict(sorted(found.items()))
