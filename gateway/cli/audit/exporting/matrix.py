"""The PCI matrix of a period: each requirement, what this package shows of it and where, what the customer still owes.

Words: *evidenced* (this package shows it), *partly* (a part of it, or something in the period speaks against it),
*customer* (nothing here can show it), *not applicable* (nothing of the kind is governed here). Whether a requirement is
met is for an assessor to say.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import msgspec

from gateway.policy.manifest import Rule
from gateway.policy.requirements import Catalogue

EVIDENCED, PARTLY, CUSTOMER, NOT_APPLICABLE = "evidenced", "partly", "customer", "not applicable"
STATES: Final = (EVIDENCED, PARTLY, CUSTOMER, NOT_APPLICABLE)


class Fact(NamedTuple):
    """Something that the period shows."""

    text: str
    place: str
    """the file of the package that shows it"""
    holds: bool | None = True
    """False: it speaks against the requirement; None: there was none of it"""


class RuleCount(msgspec.Struct, frozen=True, kw_only=True):
    """A rule of the bundle, and how often it decided."""

    code: str
    place: str
    decisions: int


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A requirement."""

    control: str
    title: str
    status: str
    shown: tuple[str, ...]
    places: tuple[str, ...]
    against: tuple[str, ...]
    rules: tuple[RuleCount, ...]
    owes: str


class Matrix(msgspec.Struct, frozen=True, kw_only=True):
    """Of one period."""

    period: str
    bundle: str
    decisions: int
    rows: tuple[Row, ...]


SHOWN_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "3.3.1": ("sensitive", "scan"),
    "3.3.1.2": ("sensitive", "scan"),
    "3.4.1": ("masked", "cleared", "glass"),
    "3.4.2": ("copies", "limits"),
    "3.5.1": ("scan",),
    "3.5.1.1": ("scan",),
    "3.6.1": ("keys",),
    "3.7.1": ("keys",),
    "6.5.1": ("bundles", "tests"),
    "7.2.1": ("grants",),
    "7.2.2": ("grants", "refused"),
    "7.2.3": ("bundles",),
    "7.2.4": ("unused",),
    "7.2.5": ("unused",),
    "7.2.6": ("decisions", "reconcile"),
    "7.3.1": ("decisions",),
    "7.3.2": ("grants", "decisions"),
    "7.3.3": ("refused",),
    "8.2.1": ("sessions",),
    "8.2.2": ("sessions",),
    "8.3.4": ("logins",),
    "8.6.1": ("identities",),
    "8.6.2": ("sessions",),
    "8.6.3": ("credentials",),
    "10.2.1": ("log",),
    "10.2.1.1": ("decisions", "cleared"),
    "10.2.1.2": ("administration",),
    "10.2.1.3": ("custody",),
    "10.2.1.4": ("refused", "logins"),
    "10.2.1.5": ("credentials", "keys"),
    "10.2.1.6": ("starts",),
    "10.2.1.7": ("definitions",),
    "10.2.2": ("decisions",),
    "10.3.1": ("custody",),
    "10.3.2": ("log", "witness"),
    "10.3.3": ("copies_of_log",),
    "10.3.4": ("log", "witness"),
    "10.4.1": ("reviews",),
    "10.5.1": ("retention",),
    "10.6.1": ("clock",),
    "10.7.2": ("degraded",),
    "12.2.1": ("approvals", "refused"),
    "12.3.1": (),
    "12.5.2": ("classified",),
    "12.10.7": ("blanked", "scan"),
}
"""requirement → names of facts"""
NEEDS: Final[Mapping[str, str]] = {
    "3.3.1": "sensitive",
    "3.3.1.2": "sensitive",
    "3.4.1": "cards",
    "8.6.1": "identities",
}
"""requirement → what the bundle must govern for it to apply"""


def matrix_of(  # noqa: PLR0913 -- what a matrix is made of
    catalogue: Catalogue,
    rules: Iterable[Rule],
    counts: Mapping[str, int],
    facts: Mapping[str, Fact],
    *,
    governed: frozenset[str],
    period: str,
    bundle: str,
    decisions: int,
) -> Matrix:
    """Of a period. `governed` are names of `NEEDS` that the bundle has."""
    listed = tuple(rules)
    rows = []
    for standard in catalogue.standards:
        for each in standard.requirements:
            control = standard.full(each.id)
            names = SHOWN_BY.get(each.id, ())
            found = [facts[name] for name in names if name in facts]
            mine = tuple(_count(rule, counts) for rule in listed if control in rule.controls)
            applies = NEEDS.get(each.id, "") in {"", *governed}
            rows.append(
                Row(
                    control=control,
                    title=each.title,
                    status=status_of(each.shown, found) if applies else NOT_APPLICABLE,
                    shown=tuple(fact.text for fact in found if fact.holds),
                    places=tuple(sorted({fact.place for fact in found if fact.holds})),
                    against=tuple(fact.text for fact in found if fact.holds is False),
                    rules=mine,
                    owes=each.owes,
                )
            )
    return Matrix(period=period, bundle=bundle, decisions=decisions, rows=tuple(rows))


def status_of(shown: str, facts: Iterable[Fact]) -> str:
    """What may be said: never more than the catalogue says a gateway can show, and less when a fact is against it."""
    said = [fact.holds for fact in facts]
    if shown == CUSTOMER or (True not in said and False not in said):
        return CUSTOMER
    return EVIDENCED if shown == EVIDENCED and False not in said else PARTLY


def _count(rule: Rule, counts: Mapping[str, int]) -> RuleCount:
    return RuleCount(code=rule.code, place=f"{rule.file}:{rule.line}", decisions=counts.get(rule.code, 0))
