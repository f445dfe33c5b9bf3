"""Every class of bytes of a log, flipped, cut, removed, doubled, swapped, reordered: found, named, exit 1.

Where in a class follows from QUERYWARDEN_SEED; QUERYWARDEN_DAMAGES says how many places of each.
"""

import asyncio
import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gateway import cli
from gateway.evidence.frames import MAGIC, pack_frame, read_frames
from gateway.evidence.recorder import Recorder
from gateway.evidence.tiles import bundle_path, join_entries, split_entries
from tests.evidence.regions import HASH, PREFIX, REGIONS, SLOT, Region, Span, wal
from tests.evidence.world import TickClock

PLACES = int(os.environ.get("QUERYWARDEN_DAMAGES", "1"))
SEED = os.environ.get("QUERYWARDEN_SEED", "6")

Damage = Callable[[bytearray, Span, random.Random], None]


def flip(data: bytearray, span: Span, rng: random.Random) -> None:
    data[rng.randrange(*span)] ^= 1 << rng.randrange(8)


def overwrite(data: bytearray, span: Span, rng: random.Random) -> None:
    before = bytes(data[slice(*span)])
    while bytes(data[slice(*span)]) == before:
        data[slice(*span)] = rng.randbytes(span[1] - span[0])


def cut(data: bytearray, span: Span, rng: random.Random) -> None:
    """The file ends within it."""
    del data[rng.randrange(*span) :]


def take_out(data: bytearray, span: Span, rng: random.Random) -> None:
    """A byte of it is gone, and what stands behind moved up."""
    del data[rng.randrange(*span)]


def put_in(data: bytearray, span: Span, rng: random.Random) -> None:
    data.insert(rng.randrange(*span), rng.randrange(256))


DAMAGES: list[Damage] = [flip, overwrite, cut, take_out, put_in]


@pytest.fixture(scope="module")
def log(finished_log: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """To be damaged and mended."""
    folder = tmp_path_factory.mktemp("bad") / "var"
    shutil.copytree(finished_log, folder)
    return folder


@pytest.fixture
def mended(log: Path, finished_log: Path) -> Iterator[Path]:
    """The same, put right after the test."""
    yield log
    shutil.rmtree(log)
    shutil.copytree(finished_log, log)


def verify(log: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, bool]]:
    """Exit code, and what was found: name → grave."""
    code = cli.main(["audit", "verify", "--data", str(log), "--state", str(log.parent / "state"), "--full", "--json"])
    found: dict[str, bool] = {}
    for finding in json.loads(capsys.readouterr().out)["findings"]:
        found[finding["name"]] = found.get(finding["name"], False) or finding["grave"]
    return code, found


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("region", REGIONS, ids=lambda region: region.name)
def test_every_class_of_bytes_can_be_damaged_and_is_named(
    log: Path, region: Region, damage: Damage, capsys: pytest.CaptureFixture[str]
) -> None:
    path, rng = region.file(log), random.Random(f"{SEED} {region.name} {damage.__name__}")  # noqa: S311 -- reproducible
    before = path.read_bytes()
    try:
        for _ in range(PLACES):
            after = bytearray(before)
            damage(after, rng.choice(region.spans(before)), rng)
            path.write_bytes(after)
            code, found = verify(log, capsys)
            if bytes(after) == before:
                continue
            whole_file = path.name.endswith(".head") and len(after) != len(before)
            names = frozenset({"head.spoilt"}) if whole_file else region.found
            assert names & set(found), found
            grave = region.grave or whole_file
            assert any(found[name] == grave for name in names & set(found))
            assert code == (cli.SAYS_NO if grave else cli.DONE)
    finally:
        path.write_bytes(before)


def swap_files(first: str, second: str) -> Callable[[Path], None]:
    def swap(log: Path) -> None:
        one, two = log / first, log / second
        data = one.read_bytes()
        one.write_bytes(two.read_bytes())
        two.write_bytes(data)

    return swap


def edit(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def apply(log: Path) -> None:
        (log / name).write_bytes(change((log / name).read_bytes()))

    return apply


def reorder_entries(data: bytes) -> bytes:
    return join_entries(split_entries(data)[::-1])


def drop_entry(data: bytes) -> bytes:
    entries = split_entries(data)
    return join_entries(entries[:7] + entries[8:])


def double_entry(data: bytes) -> bytes:
    entries = split_entries(data)
    return join_entries([*entries[:8], entries[7], *entries[9:]])


def reverse_hashes(data: bytes) -> bytes:
    return b"".join(data[start : start + HASH] for start in range(len(data) - HASH, -1, -HASH))


def swap_lines(data: bytes) -> bytes:
    lines = data.split(b"\n")
    lines[1], lines[2] = lines[2], lines[1]
    return b"\n".join(lines)


def in_frames(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[Path], None]:
    def apply(log: Path) -> None:
        data = wal(log).read_bytes()
        frames = [pack_frame(frame.kind, frame.number, frame.payload) for frame in read_frames(data)]
        wal(log).write_bytes(MAGIC + b"".join(change(frames)))

    return apply


def renumber(log: Path) -> None:
    """A frame of the write-ahead log under another number, its checksum made anew."""
    frames = list(read_frames(wal(log).read_bytes()))
    changed = [(f.kind, f.number + (index == len(frames) - 1), f.payload) for index, f in enumerate(frames)]
    changed[-1] = (changed[-1][0], frames[-2].number, changed[-1][2])
    wal(log).write_bytes(MAGIC + b"".join(pack_frame(*each) for each in changed))


def bodies(log: Path) -> list[Path]:
    return [path for path in sorted((log / "objects").rglob("*")) if path.is_file()]


def swap_bodies(log: Path) -> None:
    one, two = bodies(log)[:2]
    swap_files(str(one.relative_to(log)), str(two.relative_to(log)))(log)


def lose_body(log: Path) -> None:
    bodies(log)[0].unlink()
    wal(log).unlink()


def spoil_head(log: Path) -> None:
    path = log / "keys/log-1.head"
    path.write_bytes(b"?" * 2 * SLOT)


FIRST, SECOND = f"{PREFIX}/{bundle_path(0)}", f"{PREFIX}/{bundle_path(1)}"
TILE, NEXT = f"{PREFIX}/tile/0/000", f"{PREFIX}/tile/0/001"
NOTE = f"{PREFIX}/checkpoint"

WHOLE: list[tuple[str, Callable[[Path], object], str]] = [
    ("bundles swapped", swap_files(FIRST, SECOND), "tile.mismatch"),
    ("tiles swapped", swap_files(TILE, NEXT), "tile.mismatch"),
    ("a tile in the place of a bundle", swap_files(TILE, FIRST), "entries.unreadable"),
    ("entries reversed", edit(FIRST, reorder_entries), "tile.mismatch"),
    ("an entry left out", edit(FIRST, drop_entry), "entries.unreadable"),
    ("an entry twice", edit(FIRST, double_entry), "leaf.mismatch"),
    ("hashes reversed", edit(TILE, reverse_hashes), "tile.mismatch"),
    ("an empty bundle", edit(FIRST, lambda _: b""), "entries.unreadable"),
    ("an empty tile", edit(TILE, lambda _: b""), "tile.mismatch"),
    ("an empty checkpoint", edit(NOTE, lambda _: b""), "checkpoint.signature"),
    ("an empty public key", edit("keys/log-1.pub", lambda _: b""), "checkpoint.signature"),
    ("lines of the checkpoint swapped", edit(NOTE, swap_lines), "checkpoint.signature"),
    ("a signature twice", edit(NOTE, lambda data: data + data.split(b"\n\n")[1] + b"x\n"), "checkpoint.signature"),
    ("no bundle", lambda log: (log / FIRST).unlink(), "entries.missing"),
    ("no tile", lambda log: (log / TILE).unlink(), "tile.missing"),
    ("no tiles at all", lambda log: shutil.rmtree(log / PREFIX / "tile/0"), "tile.missing"),
    ("no checkpoint", lambda log: (log / NOTE).unlink(), "checkpoint.missing"),
    ("no public key", lambda log: (log / "keys/log-1.pub").unlink(), "key.missing"),
    ("both slots of the head spoilt", spoil_head, "head.spoilt"),
    ("frames swapped", in_frames(lambda f: [*f[:9], f[12], *f[10:12], f[9], *f[13:]]), "wal.damaged"),
    ("frames under other numbers", renumber, "wal.damaged"),
    ("frames reversed", in_frames(lambda frames: [frames[0], *frames[:0:-1]]), "wal.damaged"),
    ("frames left out at the end", in_frames(lambda frames: frames[:-3]), "wal.missing"),
    ("bodies swapped", swap_bodies, "body.changed"),
    ("no body", lose_body, "body.missing"),
    ("no epoch", lambda log: shutil.move(log / "log/1", log / "log/2"), "epoch.missing"),
]


@pytest.mark.parametrize(("damage", "name"), [each[1:] for each in WHOLE], ids=[each[0] for each in WHOLE])
def test_what_is_swapped_reordered_or_gone_is_named(
    mended: Path, damage: Callable[[Path], object], name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(mended)
    code, found = verify(mended, capsys)
    assert found.get(name), found
    assert code == cli.SAYS_NO


def test_no_log_at_all_is_a_usage_error(mended: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(mended / "log")
    assert cli.main(["audit", "verify", "--data", str(mended)]) == cli.USAGE
    capsys.readouterr()


def test_the_end_of_an_open_logs_write_ahead_log_cannot_be_removed_unseen(
    finished_log: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(finished_log, tmp_path / "var")
    open_again = tmp_path / "var"
    _reopened(open_again)
    assert verify(open_again, capsys)[0] == cli.DONE
    wal(open_again).unlink()
    code, found = verify(open_again, capsys)
    assert (code, found.get("wal.missing")) == (cli.SAYS_NO, True)


def _reopened(folder: Path) -> None:
    """A log that is being written, as it lies there at that moment."""
    copy = folder.with_name("copy")

    async def write() -> None:
        recorder = await Recorder.open(folder, TickClock(TickClock().now + 10**15), checkpoint_interval=3600)
        shutil.copytree(folder, copy)
        await recorder.close()

    asyncio.run(write())
    shutil.rmtree(folder)
    copy.rename(folder)
