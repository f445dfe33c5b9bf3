"""The decisions of the period, and the sample of them: who could have chosen it, and that it is the one drawn."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import heapq
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gateway.evidence.package.verifier.archive import Archive
from gateway.evidence.package.verifier.findings import Finding, listed, mapping, need, number, text
from gateway.evidence.package.verifier.story import DECIDED, Epoch, Leaf, epoch_holding
from gateway.evidence.package.verifier.tree import proof_of

POPULATION, SAMPLE = "decisions/population.csv", "decisions/sample.json"
FIXED = "decisions/population.tlog-proof"
COLUMNS = (
    "epoch", "leaf", "time", "decision", "session", "seq", "subject", "on_behalf_of", "connection", "action",
    "outcome", "labels", "bundle",
)  # fmt: skip
LABELS, DID, CONNECTION, OUTCOME, BUNDLE = 11, 3, 8, 10, 12
_HIDDEN = frozenset(
    [*range(0x20), *range(0x7F, 0xA0), *range(0x200B, 0x2010), *range(0x2028, 0x202F), *range(0x2060, 0x206A), 0xFEFF]
)
_FORMULA = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")
"""what begins a formula in a spreadsheet, in some languages as wide letters too"""


def cell(said: str) -> str:
    """A text as a cell: what moves a cursor, or that a spreadsheet would compute, is made visible."""
    if said.isascii() and said.isprintable():
        return f"'{said}" if said[:1] in _FORMULA else said
    clean = "".join(f"\\u{ord(c):04x}" if ord(c) in _HIDDEN or 0xD800 <= ord(c) < 0xE000 else c for c in said)  # noqa: PLR2004 -- surrogates
    return f"'{clean}" if clean[:1] in _FORMULA else clean


def moment(time_ns: int) -> str:
    """RFC 3339, to the nanosecond."""
    seconds, rest = divmod(time_ns, 10**9)
    when = dt.datetime(1970, 1, 1) + dt.timedelta(seconds=seconds)  # noqa: DTZ001 -- written out as UTC below
    return f"{when:%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def row_of(leaf: Leaf, labels: str) -> list[str]:
    """The row of a decision. Labels stand in the stored input, not in the leaf."""
    said, who = leaf.said, mapping(leaf.said.get("who"))
    names = ("did", "sid")
    texts = [text(said.get(name)) for name in names] + [str(number(said.get("seq")))]
    texts += [text(who.get("id")), text(who.get("on_behalf_of"))]
    texts += [text(said.get(name)) for name in ("res", "act", "outcome")]
    cells = [str(leaf.epoch), str(leaf.at), moment(leaf.time_ns), *texts, labels, text(said.get("bundle"))]
    return [cell(each) for each in cells]


class Comparison:
    """The population beside the leaves: every decision of the period is a row, in order, and nothing else is."""

    def __init__(self, archive: Archive, told: dict[str, object], span: tuple[int, int]) -> None:
        self.findings: list[Finding] = []
        self.outcomes: dict[str, int] = {}
        self.bundles: set[str] = set()
        self.rows = 0
        self._elsewhere: list[str] = []
        """decisions that no clock set back may keep from being noticed"""
        self._only = {text(each) for each in listed(told.get("connections"))}
        self._since, self._until = span
        self._lines = rows_of(archive)
        header = next(self._lines, [])
        need(header == list(COLUMNS), "population.mismatch", POPULATION, "its first line is another")

    def leaf(self, leaf: Leaf, epoch: Epoch) -> None:
        """Take in the next leaf."""
        if leaf.kind != DECIDED:
            return
        if not self._since <= leaf.time_ns < self._until:
            if epoch.first <= leaf.at < epoch.end:
                self._elsewhere.append(leaf.where)
            return
        if self._only and text(leaf.said.get("res")) not in self._only:
            return
        if not epoch.first <= leaf.at < epoch.end:
            self._find("population.mismatch", leaf.where, "a decision of the period that was not counted")
            return
        row = next(self._lines, None)
        if row is None:
            self._find("population.missing", leaf.where, "the list of decisions ends before this one")
            return
        self.rows += 1
        labels = row[LABELS] if len(row) == len(COLUMNS) else ""
        if row != row_of(leaf, labels):
            self._find("population.mismatch", leaf.where, f"line {self.rows + 1} does not say what the leaf says")
        outcome = text(leaf.said.get("outcome"))
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1
        self.bundles.add(text(leaf.said.get("bundle")))

    def finish(self) -> None:
        """Nothing may be left."""
        left = sum(1 for _ in self._lines)
        if self._elsewhere:
            said = f"{len(self._elsewhere)} decisions from here on stand among the period's with times outside it"
            self.findings.append(Finding("time.elsewhere", self._elsewhere[0], said))
        if left:
            self.findings.append(Finding("population.mismatch", POPULATION, f"{left} lines are of no decision"))

    def _find(self, name: str, where: str, said: str) -> None:
        if len(self.findings) < 100:  # noqa: PLR2004 -- enough to look at
            self.findings.append(Finding(name, where, said))


def rows_of(archive: Archive) -> Iterator[list[str]]:
    """The lines of the population; no cell has a line break."""
    return csv.reader(_lines(archive.pieces(POPULATION)))


def _lines(pieces: Iterable[bytes]) -> Iterator[str]:
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\r\n")
        yield from (line.decode("utf-8", "replace") for line in whole)
    need(not rest, "population.mismatch", POPULATION, "its last line has no end")


class Stratum(NamedTuple):
    """Decisions that are sampled together."""

    outcome: str
    connection: str
    labels: str


def rank(seed: str, row: list[str]) -> str:
    """Where a decision stands in the draw: SHA-256 over seed, epoch, leaf and decision id, each behind a newline."""
    return hashlib.sha256("\n".join(["querywarden/sample/v1", seed, *row[:2], row[DID]]).encode()).hexdigest()


class Draw(NamedTuple):
    """The outcome of a draw in one stratum."""

    size: int
    chosen: list[str]
    """decision ids, in the order of their rank"""


def draw(rows: Iterable[list[str]], seed: str, each: int) -> dict[Stratum, Draw]:
    """In each stratum the `each` rows of the lowest rank; all of them when there are no more."""
    sizes: dict[Stratum, int] = {}
    kept: dict[Stratum, list[tuple[int, str]]] = {}
    for row in rows:
        stratum = Stratum(row[OUTCOME], row[CONNECTION], row[LABELS])
        sizes[stratum] = sizes.get(stratum, 0) + 1
        heap = kept.setdefault(stratum, [])
        item = (-int(rank(seed, row), 16), row[DID])
        if len(heap) < each:
            heapq.heappush(heap, item)
        else:
            heapq.heappushpop(heap, item)
    found = {stratum: [did for _, did in sorted(heap, reverse=True)] for stratum, heap in kept.items()}
    return {stratum: Draw(sizes[stratum], found[stratum]) for stratum in sorted(sizes)}


def check_draw(archive: Archive) -> list[str]:
    """Draw again and compare; the ids that were drawn. Raises Broken."""
    told = archive.document(SAMPLE)
    strata = {
        Stratum(text(s.get("outcome")), text(s.get("connection")), text(s.get("labels"))): Draw(
            number(s.get("size")), [text(did) for did in listed(s.get("chosen"))]
        )
        for s in map(mapping, listed(told.get("strata")))
    }
    rows = rows_of(archive)
    next(rows, None)
    again = draw(rows, text(told.get("seed")), number(told.get("per_stratum")))
    need(again == strata, "sample.mismatch", SAMPLE, "the seed draws other decisions from the population")
    return [did for each in strata.values() for did in each.chosen]


def check_fixed(archive: Archive, epochs: list[Epoch]) -> None:
    """The log says which population there was before anybody could know the seed. Raises Broken."""
    seed = mapping(archive.document(SAMPLE).get("seed_from"))
    digest = hashlib.sha256()
    for piece in archive.pieces(POPULATION):
        digest.update(piece)
    if FIXED not in archive.parts:
        need(
            seed.get("kind") == "assessor", "population.unfixed", SAMPLE, "no leaf says which population was drawn from"
        )
        return
    epoch = epoch_holding(epochs, proof_of(archive.read(FIXED), FIXED).note, FIXED)
    fixed = epoch.proved(FIXED)
    named = text(mapping(fixed.facts().get("arguments")).get("population"))
    same = fixed.kind == "evidence.accessed" and named == f"sha256:{digest.hexdigest()}"
    need(same, "population.unfixed", FIXED, "the leaf fixed another population")
    if seed.get("kind") == "checkpoint":
        drawn_by = text(archive.document(SAMPLE).get("seed"))
        need(
            drawn_by == epoch.tree.root.hex(), "sample.seed", SAMPLE, "the seed is not the root of the later checkpoint"
        )
