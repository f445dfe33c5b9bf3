"""The decisions of a period, one line each, and the sample drawn from them. Written to disk as they are read.

The list is fixed (its hash stands in a leaf of the log) before the seed of the draw can be known: either an assessor
gives one, or it is the root of a checkpoint that was signed after that leaf.
"""

import csv
import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from gateway.evidence.package.snapshot import Snapshot, Span
from gateway.evidence.package.verifier.contents import SHA, labels_of
from gateway.evidence.package.verifier.drawn import COLUMNS, DID, Stratum, draw, row_of
from gateway.evidence.package.verifier.drawn import Draw as Drawn
from gateway.evidence.package.verifier.findings import text
from gateway.evidence.package.verifier.story import DECIDED, Leaf

REMEMBERED: Final = 16_384
PER_STRATUM: Final = 25
"""an assessor's usual sample of something that happens many times a day"""
_DOCUMENT: Final = msgspec.json.Decoder(dict[str, object])


class Period(NamedTuple):
    """From when (inclusive) to when (exclusive), nanoseconds since the epoch; which connections, none named: all."""

    since_ns: int
    until_ns: int
    connections: tuple[str, ...] = ()

    def holds(self, leaf: Leaf) -> bool:
        """Whether a leaf is of it."""
        named = not self.connections or text(leaf.said.get("res")) in self.connections
        return self.since_ns <= leaf.time_ns < self.until_ns and named


class Fixed(NamedTuple):
    """A population that is on disk."""

    path: Path
    sha256: str
    rows: int


class Labels:
    """The labels of what a decision touched, out of its stored input. Many decisions share one."""

    def __init__(self, body: Callable[[str], bytes | None]) -> None:
        self._body = body
        self.of = lru_cache(REMEMBERED)(self._of)

    def _of(self, name: str) -> str:
        body = self._body(name.removeprefix(SHA)) if name else None
        return "" if body is None else labels_of(_DOCUMENT.decode(body))


def decisions(
    taken: Iterable[tuple[Snapshot, Span]], period: Period, see: Callable[[Leaf], None]
) -> Iterator[list[str]]:
    """The rows of a period. `see` is given every leaf of the span, decision or not."""
    for snapshot, span in taken:
        labels = Labels(snapshot.reader.body)
        for leaf in snapshot.leaves(span.first, span.end):
            see(leaf)
            if leaf.kind == DECIDED and period.holds(leaf):
                yield row_of(leaf, labels.of(text(leaf.said.get("in"))))


def write_population(path: Path, rows: Iterable[list[str]]) -> Fixed:
    """Write the list. Raises OSError."""
    count = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")  # RFC 4180
        writer.writerow(COLUMNS)
        for row in rows:
            writer.writerow(row)
            count += 1
    with path.open("rb") as raw:
        return Fixed(path, hashlib.file_digest(raw, "sha256").hexdigest(), count)


def read_population(path: Path) -> Iterator[list[str]]:
    """Its rows, without the first line."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows, None)
        yield from rows


class Sample(NamedTuple):
    """What was drawn."""

    seed: str
    seed_from: Mapping[str, object]
    per_stratum: int
    strata: Mapping[Stratum, Drawn]
    places: Mapping[str, tuple[int, int]]
    """decision id → (epoch, leaf)"""

    def document(self, fixed: Fixed) -> dict[str, object]:
        """`decisions/sample.json`."""
        return {
            "method": "in each stratum the decisions with the lowest SHA-256 over seed, epoch, leaf and id (VERIFY.md)",
            "seed": self.seed,
            "seed_from": dict(self.seed_from),
            "per_stratum": self.per_stratum,
            "population": {"sha256": fixed.sha256, "rows": fixed.rows},
            "strata": [
                {**stratum._asdict(), "size": drawn.size, "chosen": list(drawn.chosen)}
                for stratum, drawn in self.strata.items()
            ],
        }


def draw_sample(fixed: Fixed, seed: str, seed_from: Mapping[str, object], per_stratum: int = PER_STRATUM) -> Sample:
    """Draw from the list on disk: one pass for the draw, one for where the chosen stand."""
    strata = draw(read_population(fixed.path), seed, per_stratum)
    chosen = {did for each in strata.values() for did in each.chosen}
    places = {row[DID]: (int(row[0]), int(row[1])) for row in read_population(fixed.path) if row[DID] in chosen}
    return Sample(seed, seed_from, per_stratum, strata, places)
