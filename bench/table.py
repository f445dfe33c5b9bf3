"""Markdown tables of figures, and rows that say whether a target is met."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One target. `met` is None where this version cannot be measured against it."""

    what: str
    target: str
    measured: str
    met: bool | None

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """As the table shows it."""
        word = "not measured" if self.met is None else ("yes" if self.met else "**no**")
        return self.what, self.target, self.measured, word


def ratio_row(what: str, most: float, gateway: float, other: float, unit: str) -> Row:
    """A target `at most × pgbouncer`: of costs, so less is better."""
    times = gateway / other if other else float("inf")
    measured = f"{times:.2f} × ({number(gateway)} to {number(other)} {unit})"
    return Row(what, f"≤ {most:g} × pgbouncer", measured, times <= most)


def share_row(what: str, least: float, gateway: float, other: float, unit: str) -> Row:
    """A target `at least × pgbouncer`: of rates, so more is better."""
    times = gateway / other if other else 0.0
    measured = f"{times:.2f} × ({number(gateway)} to {number(other)} {unit})"
    return Row(what, f"≥ {least:g} × pgbouncer", measured, times >= least)


def number(value: float) -> str:
    """Three digits that matter, thousands apart."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; bars in cells are escaped."""
    lines = [_line(head), "|" + "---|" * len(head), *(_line(row) for row in rows)]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def targets(rows: Sequence[Row]) -> str:
    """The table of targets."""
    return markdown(("what", "target", "measured", "met"), [row.cells for row in rows])
