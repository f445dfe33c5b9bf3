"""Whatever is changed in a log that was signed, `verify` finds it and names it."""

import asyncio
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.evidence import wal_leaves as wal_module
from gateway.evidence.frames import MAGIC, Kind, pack_frame, read_frames
from gateway.evidence.head import read_head
from gateway.evidence.keys import load_keys
from gateway.evidence.leaf import Leaf, decode_leaf, encode_leaf
from gateway.evidence.merkle import leaf_hash
from gateway.evidence.note import Checkpoint, Signer
from gateway.evidence.opening import open_log
from gateway.evidence.reader import open_epochs
from gateway.evidence.recorder import Recorder
from gateway.evidence.tiles import Edge, bundle_path, join_entries, split_entries, tile_path, tiles_of
from gateway.evidence.verify import verify
from gateway.evidence.view import View
from gateway.evidence.walk import SHREDDED
from tests.evidence.conftest import MakeLog
from tests.evidence.world import TickClock, check, grave, one_session, whole_log

ROOT = Path(__file__).parents[2]
SOURCES = ("verify", "walk", "epoch_check", "beginning", "witnessed", "anchored", "root_log", "seen")
PREFIX = "log/1"


def names(folder: Path) -> set[str]:
    return {finding.name for finding in check(folder).findings}


def edit(path: Path, change: Callable[[bytearray], object]) -> None:
    data = bytearray(path.read_bytes())
    change(data)
    path.write_bytes(data)


def wal_of(folder: Path) -> Path:
    (path,) = (folder / PREFIX / "wal").glob("*.wal")
    return path


def body_of(folder: Path) -> Path:
    return next(path for path in sorted((folder / "objects").rglob("*")) if path.is_file())


def swap_leaves(folder: Path) -> None:
    path = folder / PREFIX / bundle_path(1)
    entries = split_entries(path.read_bytes())
    entries[3], entries[4] = entries[4], entries[3]
    path.write_bytes(join_entries(entries))


def drop_leaf(folder: Path) -> None:
    path = folder / PREFIX / bundle_path(1)
    entries = split_entries(path.read_bytes())
    path.write_bytes(join_entries(entries[:5] + entries[6:]))


def swap_tiles(folder: Path) -> None:
    one, two = (folder / PREFIX / f"tile/0/00{number}" for number in (0, 1))
    data = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(data)


def swap_frames(folder: Path) -> None:
    path = wal_of(folder)
    frames = list(read_frames(path.read_bytes()))
    frames[9], frames[12] = frames[12], frames[9]
    path.write_bytes(MAGIC + b"".join(pack_frame(*frame[:3]) for frame in frames))


def rewrite_wal_leaf(folder: Path) -> None:
    path = wal_of(folder)
    frames = [frame[:3] for frame in read_frames(path.read_bytes())]
    kind, number, payload = frames.pop()
    frames.append((kind, number, payload.replace(b'"ok":true', b'"ok":false')))
    path.write_bytes(MAGIC + b"".join(pack_frame(*frame) for frame in frames))


def older_checkpoint(folder: Path) -> None:
    """With the log's own key: what a copy from before would hold."""
    keys = load_keys(folder / "keys", 1)
    tree = Edge()
    for number, leaf in View(open_epochs(folder)[0]).upwards(0):
        if number < 300:
            tree.append(leaf_hash(leaf))
    checkpoint = Checkpoint(keys.signer.verifier.name, 300, tree.root())
    (folder / PREFIX / "checkpoint").write_bytes(keys.signer.sign(checkpoint.text()))


def older_copy(folder: Path) -> None:
    older_checkpoint(folder)
    wal_of(folder).unlink()


def lose_body(folder: Path) -> None:
    """Also where a young body lies twice."""
    body_of(folder).unlink()
    wal_of(folder).unlink()


def foreign_checkpoint(folder: Path) -> None:
    checkpoint = open_epochs(folder)[0].checkpoint
    twin = Signer(checkpoint.origin, bytes(32))
    (folder / PREFIX / "checkpoint").write_bytes(twin.sign(checkpoint.text()))


def rewrite_history(folder: Path) -> None:
    """What the holder of the key can do: another leaf, all tiles anew, a good signature. Not the head's file."""
    reader = open_epochs(folder)[0]
    leaves = [leaf for _, leaf in View(reader).upwards(0)]
    told = decode_leaf(leaves[7])
    leaves[7] = encode_leaf(msgspec.structs.replace(told, res="elsewhere"))
    edge = Edge()
    for leaf in leaves:
        for tile, data in edge.append(leaf_hash(leaf)):
            (reader.prefix / tile_path(tile)).write_bytes(data)
    for tile, data in edge.partial_tiles():
        (reader.prefix / tile_path(tile)).write_bytes(data)
    for number, width in reader.bundles():
        path = reader.prefix / bundle_path(number, width)
        path.write_bytes(join_entries(leaves[number * 256 : number * 256 + width]))
    checkpoint = Checkpoint(reader.checkpoint.origin, edge.size, edge.root())
    (reader.prefix / "checkpoint").write_bytes(load_keys(folder / "keys", 1).signer.sign(checkpoint.text()))


def flip(data: bytearray) -> None:
    data[len(data) // 2] ^= 1


def cut(data: bytearray) -> None:
    del data[-40:]


def two_epochs(folder: Path) -> None:
    (folder / "keys/log-1.key").write_bytes(b"?")
    whole_log(folder, sessions=1)


def unlinked_epoch(folder: Path) -> None:
    two_epochs(folder)
    (folder / "keys/log-1.head").unlink()
    edit(folder / PREFIX / "checkpoint", flip)


def missing_epoch(folder: Path) -> None:
    two_epochs(folder)
    shutil.rmtree(folder / "log/1")


DAMAGES: list[tuple[str, Callable[[Path], object], str]] = [
    ("a byte of an entry", lambda f: edit(f / PREFIX / bundle_path(0), flip), "root.mismatch"),
    ("a cut bundle", lambda f: edit(f / PREFIX / bundle_path(1), cut), "entries.unreadable"),
    ("a missing bundle", lambda f: (f / PREFIX / bundle_path(1)).unlink(), "entries.missing"),
    ("leaves in another order", swap_leaves, "tile.mismatch"),
    ("a leaf left out", drop_leaf, "entries.unreadable"),
    ("a byte of a tile", lambda f: edit(f / PREFIX / "tile/0/000", flip), "tile.mismatch"),
    ("a cut tile", lambda f: edit(f / PREFIX / "tile/0/000", cut), "tile.mismatch"),
    ("a missing tile", lambda f: (f / PREFIX / "tile/0/001").unlink(), "tile.missing"),
    ("tiles in each other's place", swap_tiles, "tile.mismatch"),
    ("a byte of the checkpoint", lambda f: edit(f / PREFIX / "checkpoint", flip), "checkpoint.signature"),
    ("a cut checkpoint", lambda f: edit(f / PREFIX / "checkpoint", cut), "checkpoint.signature"),
    ("no checkpoint", lambda f: (f / PREFIX / "checkpoint").unlink(), "checkpoint.missing"),
    ("a checkpoint by another key", foreign_checkpoint, "checkpoint.signature"),
    ("an older checkpoint, and no tail", older_copy, "log.cut"),
    ("another history, signed with the real key", rewrite_history, "log.rewritten"),
    ("a byte of the write-ahead log", lambda f: edit(wal_of(f), flip), "wal.damaged"),
    ("a cut write-ahead log", lambda f: edit(wal_of(f), cut), "wal.damaged"),
    ("another leaf in the write-ahead log", rewrite_wal_leaf, "wal.mismatch"),
    ("a byte of a body", lambda f: edit(body_of(f), flip), "body.changed"),
    ("a missing body", lose_body, "body.missing"),
    ("a missing public key", lambda f: (f / "keys/log-1.pub").unlink(), "key.missing"),
    ("an epoch that does not name the one before", unlinked_epoch, "epoch.unlinked"),
    ("a missing epoch", missing_epoch, "epoch.missing"),
]


def test_an_unchanged_log_is_verified(finished_log: Path) -> None:
    report = check(finished_log)
    assert report.ok
    assert grave(report) == []
    (epoch,) = report.epochs
    assert (epoch.decisions, epoch.sessions, epoch.tail, epoch.unknown_outcomes) == (30 * 12, 30, 0, 0)
    assert epoch.size > 2 * 256
    assert epoch.origin.startswith("log.test/")


def test_it_says_that_there_is_no_independent_witness(finished_log: Path) -> None:
    assert [finding.name for finding in check(finished_log).findings] == ["witness.none"]


@pytest.mark.parametrize(("damage", "name"), [entry[1:] for entry in DAMAGES], ids=[entry[0] for entry in DAMAGES])
def test_every_damage_is_found_and_named(a_log: MakeLog, damage: Callable[[Path], object], name: str) -> None:
    folder = a_log()
    damage(folder)
    report = check(folder)
    assert not report.ok
    assert name in grave(report)


def test_the_leaf_that_was_changed_is_named(a_log: MakeLog) -> None:
    folder = a_log()
    path = folder / PREFIX / bundle_path(1)
    entries = split_entries(path.read_bytes())
    entries[44] = entries[44].replace(b'"v":1', b'"v":2')
    path.write_bytes(join_entries(entries))
    assert {finding.where for finding in check(folder).findings if finding.name == "leaf.mismatch"} == {"leaf 300"}


def test_only_a_log_that_holds_is_said_to_be_written_anew(a_log: MakeLog) -> None:
    folder = a_log()
    edit(folder / PREFIX / bundle_path(0), flip)
    assert "log.rewritten" not in names(folder)
    rewrite_history(folder := a_log())
    assert grave(check(folder)) == ["wal.mismatch", "log.rewritten"]


def test_a_tile_that_is_all_wrong_names_no_leaf(a_log: MakeLog) -> None:
    folder = a_log()
    (folder / PREFIX / "tile/0/000").write_bytes(bytes(256 * 32))
    assert "tile.mismatch" in names(folder)
    assert "leaf.mismatch" not in names(folder)


@pytest.fixture(scope="module")
def spoilt(finished_log: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Path]]:
    """A copy to be spoilt and mended, and every file of it that counts."""
    folder = tmp_path_factory.mktemp("spoilt") / "var"
    shutil.copytree(finished_log, folder)
    reader = open_epochs(folder)[0]
    files = [reader.prefix / tile_path(tile) for tile in tiles_of(reader.checkpoint.size)]
    files += [reader.prefix / bundle_path(*bundle) for bundle in reader.bundles()]
    bodies = [path for path in sorted((folder / "objects").rglob("*")) if path.is_file()]
    return folder, [*files, reader.prefix / "checkpoint", wal_of(folder), *bodies, folder / "keys/log-1.head"]


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(which=st.integers(0, 1000), at=st.integers(0, 1 << 20), value=st.integers(1, 255), data=st.data())
def test_no_byte_can_be_changed_cut_or_added_unseen(
    spoilt: tuple[Path, list[Path]], which: int, at: int, value: int, data: st.DataObject
) -> None:
    folder, files = spoilt
    path = files[which % len(files)]
    before = path.read_bytes()
    after = bytearray(before)
    how = data.draw(st.sampled_from(["change", "cut", "add"]))
    if how == "change":
        after[at % len(after)] ^= value
    elif how == "cut":
        del after[at % len(after) :]
    else:
        after.insert(at % len(after), value)
    path.write_bytes(after)
    try:
        report = check(folder)
    finally:
        path.write_bytes(before)
    found = {finding.name for finding in report.findings} - {"witness.none"}
    assert found
    assert not report.ok or found == {"head.damaged"}


def test_a_copy_without_the_writers_memory_is_verified_and_says_so(a_log: MakeLog) -> None:
    folder = a_log()
    (folder / "keys/log-1.head").unlink()
    report = check(folder)
    assert report.ok
    assert "head.missing" in {finding.name for finding in report.findings}


def test_a_key_kept_elsewhere_counts_instead_of_the_one_beside_the_log(a_log: MakeLog) -> None:
    folder = a_log()
    real = open_epochs(folder)[0].verifier
    foreign_checkpoint(folder)
    (folder / "keys/log-1.pub").write_text(Signer(real.name, bytes(32)).verifier.encode(), encoding="utf-8")
    assert verify(folder, TickClock()).ok
    assert grave(verify(folder, TickClock(), verifier=real)) == ["checkpoint.signature"]


def test_a_body_that_the_write_ahead_log_still_has_is_not_missing(a_log: MakeLog) -> None:
    folder = a_log()
    body_of(folder).unlink()
    assert check(folder).ok


async def record_shredding(folder: Path, name: str) -> None:
    clock = TickClock()
    log = open_log(folder, clock).log
    data = msgspec.Raw(msgspec.json.encode({name: True}))
    seq = log.ledger.next_number("")
    log.write(encode_leaf(Leaf(type=SHREDDED, data=data, ok=True, seq=seq, t=str(clock.now), salt="b64:", v=1)), [])
    await log.close()


def test_a_body_whose_destruction_is_recorded_may_be_missing(a_log: MakeLog) -> None:
    folder = a_log()
    asyncio.run(record_shredding(folder, body_of(folder).name))
    body_of(folder).unlink()
    wal_of(folder).unlink()
    assert grave(check(folder)) == ["wal.missing"]


def test_a_record_of_destruction_that_is_not_signed_excuses_nothing(a_log: MakeLog, tmp_path: Path) -> None:
    """Without the log's key a leaf can be put into the write-ahead log, but not be signed."""
    folder = a_log()
    shutil.copytree(folder / PREFIX, tmp_path / "before")
    asyncio.run(record_shredding(folder, body_of(folder).name))
    frames = [frame for frame in read_frames(wal_of(folder).read_bytes()) if frame.kind is not Kind.BODY]
    forged = MAGIC + b"".join(pack_frame(frame.kind, frame.number, frame.payload) for frame in frames)
    shutil.rmtree(folder / PREFIX)
    shutil.copytree(tmp_path / "before", folder / PREFIX)
    wal_of(folder).write_bytes(forged)
    body_of(folder).unlink()
    assert "body.missing" in grave(check(folder))


def test_a_stop_between_noting_the_head_and_signing_it_is_no_cut(tmp_path: Path) -> None:
    """What a kill leaves when it comes at the worst moment: the head is noted, the checkpoint is the one before."""

    async def write() -> bytes:
        clock = TickClock()
        recorder = await Recorder.open(tmp_path, clock, checkpoint_interval=3600)
        before = (tmp_path / PREFIX / "checkpoint").read_bytes()
        await one_session(recorder, clock, 3)
        await recorder.checkpoint()
        await recorder.close()
        return before

    (tmp_path / PREFIX / "checkpoint").write_bytes(asyncio.run(write()))
    assert read_head(tmp_path / "keys/log-1.head").size > open_epochs(tmp_path)[0].checkpoint.size
    assert grave(check(tmp_path)) == []


def test_a_log_that_moves_on_while_it_is_read_is_not_said_to_be_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the worst moment: a head is noted but not signed yet; then it is, and the segments behind it go."""
    now, later, clock = tmp_path / "now", tmp_path / "later", TickClock()
    whole_log(later, sessions=1, clock=clock)
    before = (later / PREFIX / "checkpoint").read_bytes()
    whole_log(later, sessions=1, clock=clock)
    shutil.copytree(later, now)
    (now / PREFIX / "checkpoint").write_bytes(before)
    assert grave(check(now)) == []

    def racing(folder: Path) -> list[Path]:
        shutil.rmtree(now)
        shutil.copytree(later, now)
        shutil.rmtree(folder)
        return []

    monkeypatch.setattr(wal_module, "segments", racing)
    assert grave(check(now)) == []


async def test_a_log_that_is_being_written_verifies_at_any_moment(tmp_path: Path) -> None:
    clock = TickClock()
    recorder = await Recorder.open(tmp_path, clock, checkpoint_interval=0.002)
    writing = asyncio.gather(*(one_session(recorder, clock, 60, 0.005) for _ in range(16)))
    reports = []
    while not writing.done():
        reports.append(await asyncio.to_thread(check, tmp_path))
    await writing
    await recorder.close()
    assert len(reports) > 3
    assert [grave(report) for report in reports] == [[] for _ in reports]
    assert check(tmp_path).ok


def test_progress_is_told_up_to_the_end(finished_log: Path) -> None:
    told: list[tuple[int, int]] = []
    verify(finished_log, TickClock(), progress=lambda done, total: told.append((done, total)))
    assert told[-1][0] == told[-1][1] == open_epochs(finished_log)[0].checkpoint.size
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_a_folder_without_a_log_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        check(tmp_path)


def test_every_finding_is_documented() -> None:
    """By its name, where it is made; `head.` stands in front of one of two troubles."""
    sources = [(ROOT / f"gateway/evidence/{name}.py").read_text(encoding="utf-8") for name in SOURCES]
    made = {name for source in sources for name in re.findall(r'"([a-z]+\.[a-z_]+)"', source)}
    made |= {"head.missing", "head.damaged"}
    page = (ROOT / "docs/how-to/verify-the-log.md").read_text(encoding="utf-8")
    assert len(made) > 25
    assert sorted(name for name in made - {SHREDDED} if f"`{name}`" not in page) == []
