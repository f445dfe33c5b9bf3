"""What lies beside the log in a package: documents of each sample, recordings of their sessions, who read evidence."""

from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from gateway.evidence.package.population import Sample
from gateway.evidence.package.snapshot import Snapshot, Span
from gateway.evidence.package.verifier.contents import ACCESSED, BODIES, ENDED, RECORDINGS, SAMPLES, SHA
from gateway.evidence.package.verifier.drawn import moment
from gateway.evidence.package.verifier.findings import mapping, text
from gateway.evidence.package.verifier.story import Leaf
from gateway.evidence.package.zipped import Content, same
from gateway.evidence.recording.format import RecordingError
from gateway.evidence.recording.places import key_path, recording_path
from gateway.evidence.scrub import canonical
from gateway.evidence.tiles import WIDTH

_MOVED: Final = "data.json"
_FINISHED: Final = b'"type":"statement.finished"'
ENDS_WITHIN: Final = 64
"""blocks of the log that are looked through"""
_MAX_INTEGER: Final = (1 << 53) - 1


def as_json(value: object) -> bytes:
    """Canonical JSON and a newline. Whole numbers that JSON does not hold exactly (nanoseconds) become texts."""
    return canonical(_plain(msgspec.to_builtins(value))) + b"\n"


def _plain(value: object) -> object:
    match value:
        case int() if not -_MAX_INTEGER <= value <= _MAX_INTEGER:
            return str(value)
        case dict():
            return {str(name): _plain(part) for name, part in value.items()}
        case list() | tuple():
            return [_plain(part) for part in value]
    return value


def sample_parts(snapshot: Snapshot, did: str, index: int) -> dict[str, Content]:
    """Leaf, proof, and each document that the leaf names and that is still kept. Raises OSError, ValueError."""
    folder = f"{SAMPLES}{did}/"
    raw, proof = snapshot.raw(index), snapshot.proof(index)
    parts: dict[str, Content] = {f"{folder}leaf.json": lambda: raw, f"{folder}proof.tlog-proof": lambda: proof}
    said = msgspec.json.decode(raw, type=dict[str, object])
    named = {name: text(said.get(field)) for name, field in BODIES.items()}
    named[_MOVED] = text(said.get("data"))
    for name, digest in named.items():
        body = snapshot.reader.body(digest.removeprefix(SHA)) if digest else None
        if body is not None:
            parts[folder + name] = partial(same, body)
    ended = _ended(snapshot, did, index)
    if ended is not None:
        parts[folder + ENDED] = partial(snapshot.proof, ended)
    return parts


def _ended(snapshot: Snapshot, did: str, index: int) -> int | None:
    """The leaf that says how a statement ended: soon behind its decision, or it ran for long and is not looked for."""
    mark = f'"did":"{did}"'.encode()
    last = min((index // WIDTH + ENDS_WITHIN) * WIDTH, snapshot.tree.size)
    for block in range(index // WIDTH, -(-last // WIDTH)):
        for at, raw in enumerate(snapshot.entries(block), block * WIDTH):
            if at > index and mark in raw and _FINISHED in raw:
                return at
    return None


def recording_parts(data_dir: Path, sessions: Iterable[tuple[str, str]]) -> dict[str, Content]:
    """For (decision, session) of each sample: the session's recording, still encrypted, with its wrapped key."""
    parts: dict[str, Content] = {}
    for did, sid in sessions:
        try:
            path = recording_path(data_dir, sid)
        except RecordingError:
            continue
        if not path.is_file():
            continue
        name = f"{RECORDINGS}{sid}.gwr"
        parts[name] = partial(same, path)
        if key_path(path).is_file():
            parts[f"{RECORDINGS}{sid}.key"] = partial(same, key_path(path))
        said = as_json({"session": sid, "recording": name, "decision": did})
        parts[f"{SAMPLES}{did}/recording.json"] = partial(same, said)
    return parts


def custody(taken: Iterable[tuple[Snapshot, Span]], own: Leaf | None) -> Iterator[bytes]:
    """A line for each time a person read evidence, this export included, as the log has it."""
    found = {} if own is None else {(own.epoch, own.at): own}
    for snapshot, span in taken:
        for leaf in snapshot.leaves(span.low * WIDTH, min(span.high * WIDTH, snapshot.tree.size)):
            if leaf.kind == ACCESSED:
                found[leaf.epoch, leaf.at] = leaf
    for place in sorted(found):
        leaf = found[place]
        who = mapping(leaf.said.get("who"))
        yield as_json(
            {
                "epoch": leaf.epoch,
                "leaf": leaf.at,
                "time": moment(leaf.time_ns),
                "who": text(who.get("id")),
                "person": text(who.get("on_behalf_of")),
                "what": text(leaf.said.get("act")),
                "raw": leaf.raw.decode(),
            }
        )


def drawn_sessions(sample: Sample, taken: Iterable[tuple[Snapshot, Span]]) -> Iterator[tuple[str, str]]:
    """(decision, session) of every sample."""
    snapshots = {snapshot.epoch: snapshot for snapshot, _ in taken}
    for did, (epoch, index) in sorted(sample.places.items()):
        said = msgspec.json.decode(snapshots[epoch].raw(index), type=dict[str, object])
        yield did, text(said.get("sid"))
