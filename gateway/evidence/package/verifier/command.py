"""`verify.py`: every check in turn, what was found, and the exit code."""

from __future__ import annotations

import argparse
import csv
import errno
import hashlib
import json
import struct
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol

from gateway.evidence.package.verifier.archive import ENVELOPE, MANIFEST, Archive
from gateway.evidence.package.verifier.contents import (
    ACCESSED,
    Recordings,
    check_bundles,
    check_custody,
    check_numbers,
    check_reviews,
    check_samples,
)
from gateway.evidence.package.verifier.drawn import SAMPLE, Comparison, check_draw, check_fixed
from gateway.evidence.package.verifier.findings import (
    INCOMPLETE,
    NOTES,
    Broken,
    Finding,
    decimal,
    listed,
    mapping,
    need,
    number,
    parsed,
    text,
)
from gateway.evidence.package.verifier.signed import Key, cosigners_of, unsealed
from gateway.evidence.package.verifier.story import Epoch, Walk
from gateway.evidence.package.verifier.tree import WIDTH

FINE, TAMPERED, MISSING, USAGE = 0, 1, 2, 3
SPEC = "querywarden/evidence/v1"
_UNREADABLE = (
    ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, RecursionError, struct.error, csv.Error,
)  # fmt: skip


class Progress(Protocol):
    """Told how far it is: leaves done, leaves in all."""

    def __call__(self, done: int, total: int, /) -> None:
        """Called now and then."""


def _silent(_done: int, _total: int) -> None:
    """Say nothing of how far it is."""


class Verification:
    """One package, verified once."""

    def __init__(self, file: BinaryIO, keys: list[Key], witnesses: list[Key], seed: str, progress: Progress) -> None:
        self.findings: list[Finding] = []
        self.leaves = self.decisions = self.samples = 0
        self._file = file
        self._keys = keys
        self._witnesses = witnesses
        self._seed = seed
        self._progress = progress
        self.period = ""
        self._epochs: list[Epoch] = []
        self._drawn: list[str] = []
        self._walk = Walk()
        self._counted: Comparison | None = None
        self._accesses: dict[tuple[int, int], bytes] = {}
        self._sealed = Recordings()

    def run(self) -> None:
        """Everything, as far as it can be read."""
        if not self._step(self._open) or not self._step(self._signature):
            return
        checks = (self._files, self._trees, self._leaves, self._population, self._contents, self._custody)
        for step in (*checks, self._recordings):
            self._step(step)

    @property
    def code(self) -> int:
        """The exit code."""
        wrong = {finding.name for finding in self.findings} - NOTES
        if wrong - INCOMPLETE:
            return TAMPERED
        return MISSING if wrong else FINE

    def _step(self, step: Callable[[], None]) -> bool:
        try:
            step()
        except Broken as broken:
            self.findings.append(broken.finding)
        except _UNREADABLE as error:
            self._find("file.unreadable", getattr(step, "__name__", "a proof").strip("_"), type(error).__name__)
        else:
            return True
        return False

    def _find(self, name: str, where: str, said: str) -> None:
        self.findings.append(Finding(name, where, said))

    def _open(self) -> None:
        self._archive = Archive(self._file)

    def _signature(self) -> None:
        archive = self._archive
        payload = archive.read(MANIFEST)
        self._manifest = parsed(payload, MANIFEST, "manifest.unreadable")
        need(self._manifest.get("spec") == SPEC, "manifest.unreadable", MANIFEST, "not a manifest of this kind")
        self._logs = [mapping(each) for each in listed(self._manifest.get("log"))]
        need(self._logs, "manifest.unreadable", MANIFEST, "it names no log")
        last = f"log/{number(self._logs[-1].get('epoch'))}/key.pub"
        origin = text(self._logs[-1].get("origin"))
        if self._keys:
            key = next((each for each in self._keys if each.name == origin), self._keys[-1])
        else:
            key = Key(archive.read(last).decode("utf-8", "replace"))
            self._find("key.unproved", last, "the key inside the package was believed; give --key")
        unsealed(archive.read(ENVELOPE), payload, key, ENVELOPE)

    def _files(self) -> None:
        told = mapping(self._manifest.get("files"))
        own = {MANIFEST, ENVELOPE}
        for name in sorted(set(told) - set(self._archive.parts)):
            self._find("file.missing", name, "the manifest names it, and it is not there")
        for name in self._archive.parts:
            if name in own:
                continue
            if name not in told:
                self._find("file.extra", name, "the manifest does not name it")
                continue
            digest, size = hashlib.sha256(), 0
            for piece in self._archive.pieces(name):
                digest.update(piece)
                size += len(piece)
            if [size, digest.hexdigest()] != listed(told[name]):
                self._find("file.changed", name, "it is not the file that was signed")

    def _key_of(self, told: dict[str, object]) -> Key:
        origin = text(told.get("origin"))
        own = next((key for key in self._keys if key.name == origin), None)
        name = f"log/{number(told.get('epoch'))}/key.pub"
        return own or Key(self._archive.read(name).decode("utf-8", "replace"))

    def _trees(self) -> None:
        witnesses = list(self._witnesses)
        if "log/witnesses.pub" in self._archive.parts and not witnesses:
            witnesses = [Key(line) for line in self._archive.read("log/witnesses.pub").decode().splitlines()]
        for told in self._logs:
            epoch = Epoch(self._archive, told, self._key_of(told))
            before = self._epochs[-1:]
            self._epochs.append(epoch)
            self._step(epoch.check_tree)
            self._step(epoch.check_anchors)
            for each in before:
                self._step(partial(epoch.follows, each))
            notes = {f"{epoch.folder}checkpoint": epoch.note, **epoch.check_earlier()}
            if not [name for where, note in notes.items() for name in cosigners_of(note, witnesses, where)]:
                self._find("witness.none", epoch.folder, "no known witness has cosigned a checkpoint")

    def _leaves(self) -> None:
        period = mapping(self._manifest.get("period"))
        span = decimal(period.get("since")), decimal(period.get("until"))
        only = ", ".join(text(each) for each in listed(period.get("connections")))
        self.period = f"{text(period.get('from'))} to {text(period.get('to'))}" + (f", only {only}" if only else "")
        counted = Comparison(self._archive, period, span)
        total = sum((epoch.high - epoch.low) * WIDTH for epoch in self._epochs)
        for epoch in self._epochs[:1]:
            epoch.check_begin(span[0])
        for epoch in self._epochs:
            epoch.check_edges(*span)
            for leaf in epoch.leaves():
                self.leaves += 1
                if self.leaves % WIDTH == 0:
                    self._progress(self.leaves, total)
                self._walk.leaf(leaf)
                counted.leaf(leaf, epoch)
                self._sealed.leaf(leaf)
                if leaf.kind == ACCESSED:
                    self._accesses[leaf.epoch, leaf.at] = leaf.raw
        counted.finish()
        self.findings += [*self._walk.findings, *counted.findings]
        self.decisions, self._counted = counted.rows, counted

    def _population(self) -> None:
        self._step(partial(check_fixed, self._archive, self._epochs))
        self._drawn = check_draw(self._archive)
        self.samples = len(self._drawn)
        told = self._archive.document(SAMPLE)
        need(self._seed in {"", told.get("seed")}, "sample.seed", SAMPLE, "it was drawn by another seed")
        if not self._seed and mapping(told.get("seed_from")).get("kind") != "checkpoint":
            self._find("seed.given", SAMPLE, f"drawn by {told.get('seed')}, said to be an assessor's: give --seed")

    def _contents(self) -> None:
        self.findings += check_samples(self._archive, self._epochs, self._drawn, self._walk.shredded)
        if self._counted is not None:
            self.findings += check_bundles(self._archive, self._counted.bundles)
            check_numbers(self._archive, self._counted)
        if "report/daily.json" in self._archive.parts:
            check_reviews(self._archive, self._epochs)

    def _custody(self) -> None:
        check_custody(self._archive, self._epochs, self._accesses)

    def _recordings(self) -> None:
        self.findings += self._sealed.check(self._archive)


def verify_package(
    path: Path, keys: list[str], witnesses: list[str], seed: str = "", progress: Progress = _silent
) -> Verification:
    """Verify a package. `keys` are public keys as text. Raises OSError, and Broken for a key that is none."""
    if path.exists() and not path.is_file():  # a pipe would be waited for
        raise OSError(errno.EINVAL, "not a file", str(path))
    with path.open("rb") as file:
        found = Verification(file, [Key(key) for key in keys], [Key(key) for key in witnesses], seed, progress)
        found.run()
    return found


def in_words(found: Verification) -> str:
    """What a person reads."""
    lines = [f"{'note ' if f.name in NOTES else 'WRONG'}  {f.name:<22}  {f.where}: {f.text}" for f in found.findings]
    counted = f"{found.leaves:,} leaves, {found.decisions:,} decisions, {found.samples:,} samples"
    ends = {FINE: "verified", TAMPERED: "NOT verified: changed", MISSING: "NOT verified: incomplete"}
    lines += [f"period {found.period}"] if found.period else []
    shown = [line.encode("unicode_escape").decode() for line in lines]
    return "\n".join([*shown, f"{ends[found.code]}. {counted}."]) + "\n"


def as_document(found: Verification) -> dict[str, object]:
    """The same for programs."""
    counts = {"leaves": found.leaves, "decisions": found.decisions, "samples": found.samples}
    return {"ok": found.code == FINE, "code": found.code, **counts, "findings": [f._asdict() for f in found.findings]}


def main(arguments: list[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="verify.py", description="Verify an evidence package.")
    parser.add_argument("package", type=Path)
    parser.add_argument("--key", action="append", default=[], type=Path, help="the log's public key, kept elsewhere")
    parser.add_argument("--witness", action="append", default=[], help="a witness's key, as it publishes it")
    parser.add_argument("--seed", default="", help="what you gave for the draw of the sample")
    parser.add_argument("--json", action="store_true")
    try:
        asked = parser.parse_args(arguments)
        keys = [path.read_text("utf-8") for path in asked.key]
        found = verify_package(asked.package, keys, asked.witness, asked.seed)
    except SystemExit as ending:
        return USAGE if ending.code else FINE
    except (OSError, UnicodeDecodeError, Broken) as error:
        sys.stderr.write(f"verify.py: {error}\n")
        return USAGE
    sys.stdout.write(json.dumps(as_document(found), indent=2) + "\n" if asked.json else in_words(found))
    return found.code
