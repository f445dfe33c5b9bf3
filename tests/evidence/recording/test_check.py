"""What was done to recordings after they were sealed: each is named by `audit verify`, and nothing else is."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.core.events import Event, EventType
from gateway.core.ids import new_id
from gateway.evidence.recorder import Recorder
from gateway.evidence.recording.check import check, check_one
from gateway.evidence.recording.format import CLEAR, Sealer
from gateway.evidence.recording.keys import wrap
from gateway.evidence.recording.places import key_path, recording_path
from gateway.evidence.recording.reader import read_front, read_segments
from gateway.evidence.recording.shred import destroy_key
from gateway.evidence.recording.store import Recordings
from gateway.evidence.verify import verify
from tests.evidence.recording.world import KEY, private, recipient
from tests.evidence.world import TickClock, opened

READER = private()


async def write(folder: Path, sessions: int = 2, shredded: int = 0) -> list[str]:
    """A log with recorded sessions of four segments each, the first of which may be shredded."""
    clock = TickClock()
    recorder = await Recorder.open(folder, clock, checkpoint_interval=3600)
    store = Recordings(folder, (recipient(READER),), recorder, clock)
    sids = [await record(recorder, store, clock) for _ in range(sessions)]
    for sid in sids[:shredded]:
        data: dict[str, object] = {"session": sid, "reason": "erasure", "order": "x"}
        await recorder.append(Event(type=EventType.RECORDING_SHREDDED, data=data))
        destroy_key(recording_path(folder, sid))
    await store.close()
    await recorder.close()
    return sids


async def record(recorder: Recorder, store: Recordings, clock: TickClock) -> str:
    sid = new_id(clock)
    await recorder.append(opened(sid))
    recording = store.begin(sid, "payments", "postgres")
    for number in range(6):
        recording.tape.begins(number, f"d{number}", "select", "query")
        recording.tape.received(number, bytes((number,)) * 100_000)
    facts = await recording.close()
    data: dict[str, object] = {"reason": "client", "recording": facts}
    await recorder.append(Event(type=EventType.SESSION_CLOSED, sid=sid, res="payments", data=data))
    return sid


class Scene:
    """A folder with two recordings, to be spoilt."""

    def __init__(self, folder: Path, sids: list[str]) -> None:
        self.folder = folder
        self.sids = sids
        self.paths = [recording_path(folder, sid) for sid in sids]
        with self.paths[0].open("rb") as file:
            self.front = read_front(file).raw
            self.segments = [segment.raw for segment in read_segments(file)]
        with self.paths[1].open("rb") as file:
            read_front(file)
            self.others = [segment.raw for segment in read_segments(file)]

    def put(self, *parts: bytes) -> None:
        self.paths[0].write_bytes(b"".join(parts))

    def names(self) -> list[str]:
        found = list(check(self.folder).findings)
        assert found == [f for f in verify(self.folder, TickClock()).findings if f.name.startswith("recording.")]
        return [finding.name for finding in found if finding.grave]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    import asyncio  # noqa: PLC0415 -- once for the module, outside any test's loop

    folder = tmp_path_factory.mktemp("recorded")
    return folder, asyncio.run(write(folder))


@pytest.fixture
def scene(written: tuple[Path, list[str]], tmp_path: Path) -> Scene:
    shutil.copytree(written[0], tmp_path / "copy")
    return Scene(tmp_path / "copy", written[1])


def test_recordings_as_they_were_sealed_are_fine(scene: Scene) -> None:
    assert list(check(scene.folder).findings) == []
    checked = check(scene.folder)
    assert (checked.recordings, checked.segments, checked.shredded) == (2, 2 * len(scene.segments), 0)
    assert [list(check_one(scene.folder, sid)) for sid in scene.sids] == [[], []]


@pytest.mark.parametrize("where", ["front", "number", "kind", "length", "content", "tag", "end"])
def test_a_flipped_byte_of_every_kind_is_found(scene: Scene, where: str) -> None:
    at = {
        "front": 20, "number": len(scene.front) + 3, "kind": len(scene.front) + 4,
        "length": len(scene.front) + CLEAR.size - 1, "content": len(scene.front) + 40,
        "tag": len(scene.front) + len(scene.segments[0]) - 1, "end": scene.paths[0].stat().st_size - 1,
    }[where]  # fmt: skip
    data = bytearray(scene.paths[0].read_bytes())
    data[at] ^= 1
    scene.put(bytes(data))
    assert scene.names() == ["recording.changed"]


def replace_by_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def replace_by_device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


ATTACKS: dict[str, tuple[Callable[[Scene], object], list[str]]] = {
    "removed": (lambda s: s.paths[0].unlink(), ["recording.missing"]),
    "cut within a segment": (lambda s: s.put(s.front, s.segments[0][:-1]), ["recording.cut"]),
    "cut between segments": (lambda s: s.put(s.front, *s.segments[:2]), ["recording.cut"]),
    "emptied": (lambda s: s.put(), ["recording.changed", "recording.cut"]),
    "more behind it": (lambda s: s.put(s.front, *s.segments, b"x"), ["recording.unsealed"]),
    "two segments in the other order": (
        lambda s: s.put(s.front, s.segments[1], s.segments[0], *s.segments[2:]),
        ["recording.reordered"],
    ),
    "a segment left out": (
        lambda s: s.put(s.front, s.segments[1], s.segments[2]),
        ["recording.reordered", "recording.cut"],
    ),
    "a segment of another session": (
        lambda s: s.put(s.front, s.segments[0], s.others[1], *s.segments[2:]),
        ["recording.swapped"],
    ),
    "another session's in its place": (lambda s: s.put(s.paths[1].read_bytes()), ["recording.changed"]),
    "a pipe in its place": (lambda s: replace_by_pipe(s.paths[0]), ["recording.missing"]),
    "a pipe in the place of its key": (
        lambda s: replace_by_pipe(key_path(s.paths[0])),
        ["recording.key_missing"],
    ),
    "a key file without end": (
        lambda s: replace_by_device(key_path(s.paths[0])),
        ["recording.key_missing"],
    ),
    "a key file that is too long": (
        lambda s: key_path(s.paths[0]).write_bytes(b"x" * 100_000),
        ["recording.key_changed"],
    ),
    "the key is gone": (lambda s: key_path(s.paths[0]).unlink(), ["recording.key_missing"]),
    "another key": (
        lambda s: key_path(s.paths[0]).write_bytes(key_path(s.paths[1]).read_bytes()),
        ["recording.key_changed"],
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_each_attack_has_its_name(scene: Scene, attack: str) -> None:
    spoil, names = ATTACKS[attack]
    spoil(scene)
    assert scene.names()[: len(names)] == names
    alone = [name.replace("swapped", "changed") for name in names]  # it knows the leaves of no other session
    assert [f.name for f in check_one(scene.folder, scene.sids[0]) if f.grave][: len(names)] == alone
    assert [f.name for f in check_one(scene.folder, scene.sids[1])] == []


def test_a_recording_made_by_somebody_who_has_only_the_public_key_is_not_believed(scene: Scene) -> None:
    sealer = Sealer(KEY, scene.sids[0], scene.front)
    scene.put(scene.front, sealer.seal(b"what I would have liked to see"), sealer.seal(b"{}", kind=1))
    key_path(scene.paths[0]).write_bytes(wrap(KEY, scene.sids[0], (recipient(READER),)))
    assert scene.names() == ["recording.cut", "recording.key_changed"]


def test_a_recording_the_log_knows_nothing_of_is_only_noted_and_never_played_as_sealed(scene: Scene) -> None:
    stranger = new_id(TickClock())
    path = recording_path(scene.folder, stranger)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(scene.front)
    (found,) = check(scene.folder).findings
    assert (found.name, found.grave) == ("recording.unknown", False)
    (found,) = check_one(scene.folder, stranger)
    assert (found.name, found.grave) == ("recording.unknown", True)


async def test_a_shredded_recording_is_fine_and_one_whose_key_is_still_there_is_not(tmp_path: Path) -> None:
    sids = await write(tmp_path, shredded=1)
    (found,) = check(tmp_path).findings
    assert (found.name, found.grave) == ("recording.shredded", False)
    assert "erasure" in found.text
    key_path(recording_path(tmp_path, sids[0])).write_bytes(wrap(KEY, sids[0], (recipient(READER),)))
    (found,) = check(tmp_path).findings
    assert (found.name, found.grave) == ("recording.not_shredded", True)


async def test_behind_the_checkpoint_no_leaf_excuses_a_key_that_is_gone(tmp_path: Path) -> None:
    """Without the log's key a leaf can be put into the write-ahead log, but not be signed."""
    (sid,) = await write(tmp_path / "var", sessions=1)
    shutil.copytree(tmp_path / "var/log/1", tmp_path / "before")
    recorder = await Recorder.open(tmp_path / "var", TickClock(), checkpoint_interval=3600)
    data: dict[str, object] = {"session": sid, "reason": "erasure", "order": "x"}
    await recorder.append(Event(type=EventType.RECORDING_SHREDDED, data=data))
    await recorder.close()
    shutil.copytree(tmp_path / "var/log/1/wal", tmp_path / "before/wal", dirs_exist_ok=True)
    shutil.rmtree(tmp_path / "var/log/1")
    shutil.copytree(tmp_path / "before", tmp_path / "var/log/1")
    key_path(recording_path(tmp_path / "var", sid)).unlink()
    assert [(each.name, each.grave) for each in check(tmp_path / "var").findings] == [("recording.key_missing", True)]
    assert [each.name for each in check_one(tmp_path / "var", sid)] == ["recording.key_missing"]


async def test_a_log_that_cannot_be_read_leaves_that_to_others(tmp_path: Path) -> None:
    await write(tmp_path)
    (tmp_path / "log/1/checkpoint").write_bytes(b"")
    (found,) = check(tmp_path).findings
    assert (found.name, found.grave) == ("recording.unchecked", False)
