"""The matrix as values: what each requirement is held by, and how far that is shown."""

from collections.abc import Sequence
from typing import Final

import msgspec

EXERCISED: Final = "enforced+tested+exercised"
TESTED: Final = "enforced+tested"
MAPPED: Final = "mapped only"
CUSTOMER: Final = "customer"
STATES: Final = (EXERCISED, TESTED, MAPPED, CUSTOMER)


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """A vector, as far as a matrix looks."""

    file: str
    name: str
    shows: tuple[str, ...]
    codes: tuple[str, ...]


class RuleRow(msgspec.Struct, frozen=True, kw_only=True):
    """A rule, with what shows that it works."""

    code: str
    title: str
    effect: str
    severity: str
    place: str
    """file:line inside the bundle"""
    controls: tuple[str, ...]
    tests: tuple[str, ...]
    """file:line of the tests that name it"""
    vectors: int
    """how many of the bundle's vectors it answers"""
    decisions: int
    """how many of the period gave it"""

    @property
    def tested(self) -> bool:
        """Whether something would notice its loss."""
        return bool(self.tests or self.vectors)


class MatrixRow(msgspec.Struct, frozen=True, kw_only=True):
    """A requirement."""

    control: str
    title: str
    state: str
    rules: tuple[RuleRow, ...]
    vectors: tuple[str, ...]
    """names of those that show it"""
    shown: str
    owes: str

    @property
    def by(self) -> str:
        """What shows it where no rule does."""
        if self.rules:
            return ""
        return "the customer" if self.state == CUSTOMER else "the gateway itself: its log, identities and keys"


class Matrix(msgspec.Struct, frozen=True, kw_only=True):
    """Of one bundle over one period."""

    revision: str
    period: str
    decisions: int
    rows: tuple[MatrixRow, ...]
    findings: tuple[str, ...]


def state_of(rules: Sequence[RuleRow], shown: str) -> str:
    """All rules of a requirement are tested and one was used; all are tested; it is mapped; it is the customer's."""
    if not rules:
        return CUSTOMER if shown == "customer" else MAPPED
    if not all(rule.tested for rule in rules):
        return MAPPED
    return EXERCISED if any(rule.decisions for rule in rules) else TESTED
