"""From a period to its sample: the population is written, then fixed in the log; then a seed is known, and is used."""

import sys
import time
from pathlib import Path
from typing import Final, NamedTuple

from gateway.cli.audit.accessing import note_access
from gateway.cli.audit.exporting.tally import Tally
from gateway.cli.audit.progress import Bar
from gateway.core.clock import SystemClock
from gateway.core.errors import ConfigError, Unavailable
from gateway.evidence.note import Verifier
from gateway.evidence.package.building import Taken, fixing_leaf, take_again
from gateway.evidence.package.population import Fixed, Sample, decisions, draw_sample, write_population
from gateway.evidence.package.verifier.drawn import moment
from gateway.evidence.package.verifier.story import Leaf
from gateway.evidence.tiles import WIDTH

WAIT_SECONDS: Final = 30.0
"""for a checkpoint that covers the leaf which fixes the population"""
LOOK_SECONDS: Final = 0.05


class Asked(NamedTuple):
    """By whom, and how the sample is to be drawn."""

    what: str
    """the command, for the record"""
    person: str
    seed: str
    """empty: by a checkpoint"""
    per_stratum: int
    verifier: Verifier | None = None
    """the log's key, from elsewhere"""


class Drawn(NamedTuple):
    """A sample, and everything it rests on."""

    taken: Taken
    fixed: Fixed
    own: Leaf | None
    """the leaf that fixed the population; None where the log is a copy"""
    sample: Sample
    tally: Tally


def draw(taken: Taken, asked: Asked, scratch: Path) -> Drawn:
    """Write the population into a folder, fix it, draw. Raises Unavailable, ConfigError, OSError, ValueError."""
    tally = Tally(taken.period)
    fixed = _population(taken, tally, scratch)
    period = taken.period
    detail: dict[str, object] = {
        "from": moment(period.since_ns),
        "to": moment(period.until_ns),
        "connections": " ".join(period.connections),
        "population": f"sha256:{fixed.sha256}",
        "seed": asked.seed,
    }
    recorded = note_access(taken.data_dir, asked.what, detail, results=fixed.rows, person=asked.person)
    now, own = _covered(taken, fixed, asked.verifier) if recorded else (taken, None)
    seed, seed_from = asked.seed, {"kind": "assessor"}
    if not seed:
        if own is None:
            raise ConfigError("config.invalid", "a copy has no checkpoint to come: give --seed")
        seed, seed_from = now.newest.tree.root.hex(), {"kind": "checkpoint", "of": f"log/{now.newest.epoch}/checkpoint"}
    sample = draw_sample(fixed, seed, seed_from, asked.per_stratum)
    return Drawn(now, fixed, own, sample, tally)


def _population(taken: Taken, tally: Tally, scratch: Path) -> Fixed:
    """With a bar on the terminal."""
    bar = Bar(sys.stderr, SystemClock(), "leaves")
    total = sum(span.end - span.first for _, span in taken.epochs)
    done = 0

    def see(leaf: Leaf) -> None:
        nonlocal done
        done += 1
        if done % WIDTH == 0:
            bar(done, total)
        tally.see(leaf)

    try:
        return write_population(scratch / "population.csv", decisions(taken.epochs, taken.period, see))
    finally:
        bar.clear()


def _covered(taken: Taken, fixed: Fixed, verifier: Verifier | None) -> tuple[Taken, Leaf]:
    """The log once it has signed the leaf that fixes the population. Raises Unavailable."""
    until = time.monotonic() + WAIT_SECONDS
    while True:
        now = take_again(taken, verifier)
        own = fixing_leaf(taken, now, fixed)
        if own is not None:
            return now, own
        if time.monotonic() > until:
            text = f"the leaf that fixes the population was not signed within {WAIT_SECONDS:g} s"
            raise Unavailable("evidence.unavailable", text)
        time.sleep(LOOK_SECONDS)
