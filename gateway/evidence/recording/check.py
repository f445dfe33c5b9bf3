"""Compares recordings with what the log says of them: each segment in its place, nothing missing, nothing else.

Needs no key. A segment is looked for where its leaf says it stands, so one that was changed does not hide the others.
That the leaves themselves are true is for `verify` to say; of a pruned log only what is still told can be compared.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from gateway.core.events import EventType
from gateway.evidence.files import open_file, read_file
from gateway.evidence.leaf import decode_leaf
from gateway.evidence.merkle import leaf_hash, root_of
from gateway.evidence.note import Verifier
from gateway.evidence.recording.format import CLEAR, SEALED_MAX, RecordingError, decode_clear
from gateway.evidence.recording.keys import KEY_FILE_MAX
from gateway.evidence.recording.places import begun_ns, key_path, recording_path, recordings
from gateway.evidence.search import SLACK_NS
from gateway.evidence.tiles import WIDTH
from gateway.evidence.view import View, open_views
from gateway.evidence.walk import Finding

_PART: Final = b'"recording'
"""stands in each of them that has anything to say"""
_LONGEST: Final = SEALED_MAX + 64


class Sealed(NamedTuple):
    """What a leaf says of a segment."""

    sha256: str
    at: int
    size: int


class Checked(NamedTuple):
    """What came of it."""

    findings: tuple[Finding, ...]
    recordings: int
    segments: int
    shredded: int


@dataclass(slots=True)
class Story:
    """What the log tells of one recording."""

    segments: dict[int, Sealed] = field(default_factory=dict)
    front: str = ""
    key: str = ""
    closed: dict[str, object] | None = None
    """what the end of its session says of it"""
    shredded: str | None = None
    """why"""


def check(data_dir: Path, verifier: Verifier | None = None) -> Checked:
    """Read the whole log, then every recording. What of the log cannot be read `verify` names. Raises OSError."""
    recorded, findings, pruned = Recorded(), list[Finding](), False
    try:
        views = list(open_views(data_dir, verifier))
        for view in reversed(views):
            pruned = pruned or view.begin > 0
            for index, data in view.upwards(0):
                if _PART in data:
                    leaf = decode_leaf(data)
                    recorded.take(leaf.type, leaf.sid, leaf.facts(), signed=index < view.signed)
    except (OSError, ValueError, IndexError) as error:
        text = f"the log cannot be read to its end ({type(error).__name__})"
        findings.append(Finding("recording.unchecked", "recordings", text, grave=False))
        return Checked(tuple(findings), 0, 0, 0)
    findings += recorded.findings(data_dir, pruned=pruned)
    stories = [story for story in recorded.stories.values() if story.segments]
    segments = sum(len(story.segments) for story in stories)
    return Checked(tuple(findings), len(stories), segments, sum(story.shredded is not None for story in stories))


def check_one(data_dir: Path, sid: str, verifier: Verifier | None = None) -> Iterator[Finding]:
    """The same for one session, reading of the log only what follows its beginning.

    Whoever can write the folder can make a recording, for anybody can encrypt to a public key: that it is the one that
    was sealed only the log tells. Raises OSError, ValueError.
    """
    recorded, pruned = Recorded(), False
    for view in reversed(list(open_views(data_dir, verifier))):
        pruned = pruned or view.begin > 0
        _session(view, sid, recorded)
    story = recorded.stories.get(sid)
    if story is None or not story.segments:
        text = "the log does not tell of it: its session had just begun, its log was pruned, or it was put there"
        yield Finding("recording.unknown", f"recording {sid}", text, grave=not pruned)
        return
    yield from recorded.of(data_dir, sid, pruned=pruned)


def _session(view: View, sid: str, recorded: "Recorded") -> None:
    """Take in what one epoch tells of a session and, wherever it stands, of its shredding."""
    if not view.blocks or view.begin >= view.size:
        return
    start = view.block_at(begun_ns(sid) - SLACK_NS) * WIDTH
    name = sid.encode()
    for index, data in view.upwards(start):
        if name in data and _PART in data:
            leaf = decode_leaf(data)
            recorded.take(leaf.type, leaf.sid, leaf.facts(), signed=index < view.signed)


class Recorded:
    """Feed it the leaves that speak of recordings, then ask what does not fit."""

    def __init__(self) -> None:
        self.stories: dict[str, Story] = {}
        self._places: dict[str, tuple[str, int]] = {}
        """hash of a segment → session and number"""

    def take(self, kind: str, sid: str, facts: dict[str, object], *, signed: bool = True) -> None:
        """One leaf. Raises ValueError when it is none of this log's.

        Behind the checkpoint anybody can write: what stands there excuses nothing that is gone.
        """
        match kind:
            case EventType.RECORDING_SEALED:
                self._sealed(sid, facts)
            case EventType.RECORDING_SHREDDED if signed:
                self.stories.setdefault(_text(facts, "session"), Story()).shredded = _text(facts, "reason")
            case EventType.SESSION_CLOSED if "recording" in facts:
                story = self.stories.setdefault(sid, Story())
                recording = facts.get("recording")
                story.closed = recording if isinstance(recording, dict) else None
            case _:
                pass

    def _sealed(self, sid: str, facts: dict[str, object]) -> None:
        story = self.stories.setdefault(sid, Story())
        number = _number(facts, "segment")
        story.segments[number] = Sealed(_text(facts, "sha256"), _number(facts, "at"), _number(facts, "bytes"))
        self._places[_text(facts, "sha256")] = sid, number
        if number == 0:
            story.front, story.key = _text(facts, "front"), _text(facts, "key")

    def findings(self, data_dir: Path, *, pruned: bool = False) -> Iterator[Finding]:
        """Everything that does not fit. Raises OSError."""
        for sid in self.stories:
            yield from self.of(data_dir, sid, pruned=pruned)
        yield from self._strangers(data_dir)

    def of(self, data_dir: Path, sid: str, *, pruned: bool = False) -> Iterator[Finding]:
        """What does not fit of one recording. Raises OSError."""
        story, where = self.stories[sid], f"recording {sid}"
        yield from _told(story, where, pruned=pruned)
        if not story.segments:
            return
        try:
            path = recording_path(data_dir, sid)
        except RecordingError as error:
            yield Finding(error.name, where, str(error))
            return
        if not path.is_file():
            yield Finding("recording.missing", where, f"{len(story.segments)} segments were sealed; no file is here")
            return
        yield from self._file(path, sid, story, where)
        yield from _key(path, story, where)

    def _strangers(self, data_dir: Path) -> Iterator[Finding]:
        for sid, _ in recordings(data_dir):
            if sid not in self.stories or not self.stories[sid].segments:
                text = "no leaf tells of it: its session had just begun, its log was pruned, or it is not this log's"
                yield Finding("recording.unknown", f"recording {sid}", text, grave=False)

    def _file(self, path: Path, sid: str, story: Story, where: str) -> Iterator[Finding]:
        with open_file(path) as file:
            if story.segments.get(0):
                front = file.read(story.segments[0].at)
                if hashlib.sha256(front).hexdigest() != story.front:
                    yield Finding("recording.changed", f"{where}, header", "it is not the one that was sealed")
            for number, sealed in sorted(story.segments.items()):
                file.seek(sealed.at)
                data = file.read(min(sealed.size, _LONGEST))
                if len(data) < sealed.size:
                    text = f"only {path.stat().st_size} bytes are left, this segment ended at {sealed.at + sealed.size}"
                    yield Finding("recording.cut", f"{where}, segment {number}", text)
                    return
                if hashlib.sha256(data).hexdigest() != sealed.sha256:
                    yield self._other(_whole(file, sealed.at), sid, f"{where}, segment {number}")
        last = max(story.segments.values(), key=lambda each: each.at)
        more = path.stat().st_size - last.at - last.size
        if more > 0:  # a gateway that runs, or was killed, has written what no leaf names yet
            complete = story.closed is not None and story.closed.get("complete", True)
            text = f"{more} bytes stand behind the last sealed segment"
            yield Finding("recording.unsealed", where, text, grave=bool(complete))

    def _other(self, data: bytes, sid: str, where: str) -> Finding:
        """A segment that is not the one that was sealed: another leaf may tell where it came from."""
        found = self._places.get(hashlib.sha256(data).hexdigest())
        if found is None:
            return Finding("recording.changed", where, "it does not have the hash that was sealed")
        if found[0] == sid:
            return Finding("recording.reordered", where, f"segment {found[1]} stands in its place")
        return Finding("recording.swapped", where, f"a segment of session {found[0]} stands in its place")


def _whole(file: BinaryIO, at: int) -> bytes:
    """The segment that stands there by its own words, whatever length another had; nothing when none does."""
    file.seek(at)
    front = file.read(CLEAR.size)
    try:
        return front + file.read(decode_clear(front).sealed)
    except RecordingError:
        return b""


def _told(story: Story, where: str, *, pruned: bool) -> Iterator[Finding]:
    """Whether the leaves agree with each other."""
    numbers = sorted(story.segments)
    first = numbers[0] if numbers and pruned else 0
    if numbers != list(range(first, first + len(numbers))):
        yield Finding("recording.gap", where, "the leaves of some segments are missing")
    if story.closed is None or first or (pruned and not numbers):
        return
    root = root_of([leaf_hash(bytes.fromhex(story.segments[number].sha256)) for number in numbers]).hex()
    if (story.closed.get("segments"), story.closed.get("root")) != (len(numbers), root):
        yield Finding("recording.root", where, "the session's end tells of other segments than were sealed")
    if story.closed.get("complete") is False:
        text = f"{story.closed.get('lost')} bytes could not be written before the session ended"
        yield Finding("recording.incomplete", where, text, grave=False)


def _key(path: Path, story: Story, where: str) -> Iterator[Finding]:
    """The wrapped key: there, unless it was shredded; and the one that was written."""
    file = key_path(path)
    if story.shredded is not None:
        if file.exists():
            yield Finding("recording.not_shredded", where, "the log says its key was destroyed; it is still here")
        else:
            yield Finding("recording.shredded", where, f"its key was destroyed: {story.shredded}", grave=False)
    elif not file.is_file():
        yield Finding("recording.key_missing", where, "nobody can read it: its key file is gone, and no leaf says why")
    elif story.key and hashlib.sha256(read_file(file, KEY_FILE_MAX)).hexdigest() != story.key:
        yield Finding("recording.key_changed", where, "its key file is not the one that was written")


def _text(facts: dict[str, object], name: str) -> str:
    value = facts.get(name, "")
    if not isinstance(value, str):
        raise ValueError(f"{name} is no text")  # noqa: TRY004 -- a leaf that cannot be read, whatever is wrong with it
    return value


def _number(facts: dict[str, object], name: str) -> int:
    value = facts.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{name} is no number")
    return value
