"""What belongs to the decisions: the documents of each sample, bundles, recordings, custody, numbers in reports."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator

from gateway.evidence.package.verifier.archive import Archive
from gateway.evidence.package.verifier.drawn import COLUMNS, DID, FIXED, LABELS, Comparison, rows_of
from gateway.evidence.package.verifier.findings import (
    Broken,
    Finding,
    listed,
    mapping,
    need,
    number,
    parsed,
    text,
)
from gateway.evidence.package.verifier.story import Epoch, Leaf, epoch_holding
from gateway.evidence.package.verifier.tree import proof_of

SAMPLES = "decisions/samples/"
SHA = "sha256:"
BODIES = {"input.json": "in", "decision.json": "out", "body.json": "body"}
ENDED = "ended.tlog-proof"
ACCESSED = "evidence.accessed"
RECORDINGS, REVIEWS = "recordings/", "report/reviews/"
_FRONT, _CLEAR = b"QWGWR\x00\x01\n", struct.Struct(">IBIIII")
"""of a recording: how it begins, what stands in clear before each segment"""
MAX_HEAD, MAX_SEGMENT = 1 << 16, 1 << 26


def check_sample(archive: Archive, epochs: list[Epoch], did: str, shredded: set[str]) -> Leaf:
    """One sample: its proof, its leaf, and each document with the hash the leaf has for it. Raises Broken."""
    folder = f"{SAMPLES}{did}/"
    proof = f"{folder}proof.tlog-proof"
    need(
        proof in archive.parts and f"{folder}leaf.json" in archive.parts, "sample.missing", folder, "not in the package"
    )
    leaf = epoch_holding(epochs, proof_of(archive.read(proof), proof).note, proof).proved(proof)
    own = leaf.raw == archive.read(f"{folder}leaf.json") and leaf.said.get("did") == did
    need(own, "sample.other_leaf", folder, "the leaf is not the one that is proved")
    if folder + ENDED in archive.parts:
        note = proof_of(archive.read(folder + ENDED), folder).note
        ended = epoch_holding(epochs, note, folder).proved(folder + ENDED)
        ours = (ended.kind, ended.said.get("did")) == ("statement.finished", did)
        need(ours, "sample.other_leaf", folder + ENDED, "it says how another statement ended")
    for name, field in BODIES.items():
        digest = text(leaf.said.get(field))[len(SHA) :]
        held = archive.read(folder + name) if folder + name in archive.parts else None
        if held is None:
            need(
                not digest or digest in shredded,
                "sample.missing",
                folder + name,
                "the leaf names a document that is not here",
            )
            continue
        same = hashlib.sha256(held).hexdigest() == digest
        need(same, "body.mismatch", folder + name, "it is not the document that the leaf names")
    return leaf


def labels_of(document: dict[str, object]) -> str:
    """The labels of what a statement touches, sorted, with a blank between them."""
    statement = mapping(document.get("statement"))
    touched = [mapping(each) for name in ("relations", "columns") for each in listed(statement.get(name))]
    return " ".join(sorted({text(label) for each in touched for label in listed(each.get("labels"))}))


def check_samples(archive: Archive, epochs: list[Epoch], drawn: list[str], shredded: set[str]) -> list[Finding]:
    """Every sample that was drawn is here, whole, and no other one."""
    findings = []
    labels = {}
    for did in drawn:
        try:
            check_sample(archive, epochs, did, shredded)
            name = f"{SAMPLES}{did}/input.json"
            labels[did] = labels_of(parsed(archive.read(name), name)) if name in archive.parts else ""
        except Broken as broken:
            findings.append(broken.finding)
    there = {name[len(SAMPLES) :].partition("/")[0] for name in archive.under(SAMPLES)}
    findings += [Finding("sample.extra", SAMPLES + did, "it was not drawn") for did in sorted(there - set(drawn))]
    for row in rows_of(archive):
        if len(row) == len(COLUMNS) and labels.get(row[DID], row[LABELS]) != row[LABELS]:
            findings.append(Finding("population.mismatch", row[DID], "its input has other labels than the list says"))
    return findings


def check_bundles(archive: Archive, bundles: set[str]) -> list[Finding]:
    """Every bundle that decided is here, and is the one its sha256 names."""
    findings = []
    for name in sorted(bundle[len(SHA) :] for bundle in bundles if bundle):
        path = f"policies/{name}/bundle.tar.gz"
        if path not in archive.parts:
            findings.append(Finding("bundle.missing", path, "a bundle decided that is not in the package"))
    for path in archive.under("policies/"):
        folder, _, rest = path[len("policies/") :].partition("/")
        if rest == "bundle.tar.gz" and hashlib.sha256(archive.read(path)).hexdigest() != folder:
            findings.append(Finding("bundle.mismatch", path, "it does not have the sha256 it is named by"))
    return findings


def check_custody(archive: Archive, epochs: list[Epoch], accesses: dict[tuple[int, int], bytes]) -> None:
    """The custody list is what the log says of who read evidence, this export included. Raises Broken."""
    if FIXED in archive.parts:
        own = epoch_holding(epochs, proof_of(archive.read(FIXED), FIXED).note, FIXED).proved(FIXED)
        accesses = {**accesses, (own.epoch, own.at): own.raw}
    name = "custody.jsonl"
    said: dict[tuple[int, int], bytes] = {}
    for line in archive.read(name).splitlines():
        entry = parsed(line, name)
        said[number(entry.get("epoch")), number(entry.get("leaf"))] = text(entry.get("raw")).encode()
    need(said == accesses, "custody.mismatch", name, "the log knows other accesses than the list")


def check_reviews(archive: Archive, epochs: list[Epoch]) -> None:
    """Who signed off a day is what the log says. Raises Broken."""
    name = "report/daily.json"
    told = mapping(archive.document(name).get("signed_off"))
    proved = {}
    for path in archive.under(REVIEWS):
        leaf = epoch_holding(epochs, proof_of(archive.read(path), path).note, path).proved(path)
        need(leaf.kind == "review.signed", "report.mismatch", path, "the leaf is no sign-off")
        facts = leaf.facts()
        proved[leaf.epoch, leaf.at] = [text(facts.get(field)) for field in ("day", "digest", "reason")]
    for day, said in told.items():
        review = mapping(said)
        place = number(review.get("epoch")), number(review.get("leaf"))
        same = proved.get(place) == [day, text(review.get("digest")), text(review.get("reason"))]
        need(same, "report.mismatch", name, f"no sign-off of {day} in the log says so")


def check_numbers(archive: Archive, counted: Comparison) -> None:
    """The numbers that reports begin with are those of the population. Raises Broken."""
    name = "report/summary.json"
    told = mapping(archive.document(name).get("decisions"))
    same = told.get("total") == counted.rows and told.get("by_outcome") == counted.outcomes
    need(same, "report.mismatch", name, "it counts other decisions than the log has")


class Recordings:
    """Recordings of the samples' sessions: each segment has the hash that the log sealed."""

    def __init__(self) -> None:
        self._sealed: dict[str, dict[int, dict[str, object]]] = {}

    def leaf(self, leaf: Leaf) -> None:
        """Take in the next one."""
        if leaf.kind == "recording.sealed":
            facts = leaf.facts()
            self._sealed.setdefault(text(leaf.said.get("sid")), {})[number(facts.get("segment"))] = facts

    def check(self, archive: Archive) -> list[Finding]:
        """Each recording of the package."""
        findings = []
        for name in archive.under(RECORDINGS):
            if name.endswith(".gwr"):
                try:
                    sealed = self._sealed.get(name[len(RECORDINGS) : -len(".gwr")], {})
                    count = self._one(_Stream(archive.pieces(name)), sealed, name)
                    if count > len(sealed):
                        said = f"{count - len(sealed)} of {count} segments are sealed by no leaf in this package"
                        findings.append(Finding("recording.unproved", name, said))
                except Broken as broken:
                    findings.append(broken.finding)
        return findings

    @staticmethod
    def _one(stream: _Stream, sealed: dict[int, dict[str, object]], name: str) -> int:
        """How many segments there are. Raises Broken."""
        bad = "recording.mismatch"
        head = stream.take(len(_FRONT) + 4)
        need(head.startswith(_FRONT), bad, name, "it does not begin as a recording")
        length = int.from_bytes(head[len(_FRONT) :], "big")
        need(length <= MAX_HEAD, bad, name, "its head is longer than one may be")
        front = text(sealed.get(0, {}).get("front"))
        digest = hashlib.sha256(head + stream.take(length)).hexdigest()
        need(not front or digest == front, bad, name, "its head is not the sealed one")
        segment = 0
        while clear := stream.take(_CLEAR.size):
            need(len(clear) == _CLEAR.size, bad, name, "it ends within a segment")
            size = _CLEAR.unpack(clear)[-1]
            need(size <= MAX_SEGMENT, bad, name, "a segment is longer than one may be")
            rest = stream.take(size)
            same = segment not in sealed or sealed[segment].get("sha256") == hashlib.sha256(clear + rest).hexdigest()
            need(same and len(rest) == size, bad, name, f"segment {segment} is not the one the log sealed")
            segment += 1
        need(segment > max(sealed, default=-1), bad, name, f"the log sealed {max(sealed, default=-1) + 1} segments")
        return segment


class _Stream:
    """Bytes of a file that need not fit into memory."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._held = b""

    def take(self, size: int) -> bytes:
        """The next bytes; fewer at the end."""
        while len(self._held) < size:
            piece = next(self._pieces, b"")
            if not piece:
                break
            self._held += piece
        taken, self._held = self._held[:size], self._held[size:]
        return taken
