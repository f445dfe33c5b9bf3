"""Old leaves go and say so: the tree, its proofs and whatever somebody still names stay what they were."""

import asyncio
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import pytest

from gateway.core.errors import Unavailable
from gateway.core.events import EventType
from gateway.evidence import pruning as module
from gateway.evidence.explain import tell
from gateway.evidence.leaf import decode_leaf
from gateway.evidence.merkle import inclusion_proof, leaf_hash, verify_inclusion
from gateway.evidence.pruned import Mark, read_mark, write_mark
from gateway.evidence.pruning import FILE, Order, prune
from gateway.evidence.reader import open_epochs
from gateway.evidence.recorder import Recorder
from gateway.evidence.retention import Pruning, plan
from gateway.evidence.search import Query, search
from gateway.evidence.tiles import bundle_path
from gateway.evidence.verified import Memory
from gateway.evidence.verify import Options, verify
from gateway.evidence.view import View, open_views
from tests.evidence.world import TickClock, check, decided, finished, grave, one_session, opened, whole_log

DAY = 86_400 * 10**9
BORN = 1_900_000_000 * 10**9


@pytest.fixture(scope="session")
def old_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Years of leaves, the write-ahead log's older segments dropped. Never change it."""
    folder = tmp_path_factory.mktemp("old")
    clock = TickClock(BORN)
    whole_log(folder, sessions=30, statements=12, clock=clock)
    clock.forward(100 * 86_400)
    whole_log(folder, sessions=60, statements=4, clock=clock)
    return folder


@pytest.fixture
def log(old_log: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same, to be pruned; the write-ahead log is as short as that of a log a hundred times as long."""
    monkeypatch.setattr("gateway.evidence.retention.segments", lambda _: [])
    folder = tmp_path / "var"
    shutil.copytree(old_log, folder)
    return folder


def late() -> TickClock:
    return TickClock(BORN + 200 * DAY)


async def pruned(folder: Path, before_ns: int, order: Order = Order("the time is over")) -> list[Pruning]:  # noqa: B008
    recorder = await Recorder.open(folder, late(), checkpoint_interval=3600)

    async def planner() -> Sequence[Pruning]:
        return plan(folder, before_ns)

    try:
        done = await prune(recorder, folder, planner, order)
    finally:
        await recorder.close()
    shutil.rmtree(folder / "log/1/wal")  # what a year of leaves would have dropped long ago
    (folder / "log/1/wal").mkdir()
    return done


def ids(folder: Path) -> set[str]:
    return {decision.did for decision in search(folder, Query(), limit=10_000)}


def leaves(folder: Path) -> list[tuple[int, bytes]]:
    return list(next(open_views(folder)).upwards(0))


async def test_what_is_old_goes_and_the_log_verifies_and_says_so(log: Path) -> None:
    before = leaves(log)
    (done,) = await pruned(log, BORN + DAY)
    assert done.size >= 256
    assert not any((log / "log/1" / bundle_path(number)).exists() for number in range(done.size // 256))
    report = check(log)
    assert grave(report) == []
    assert report.epochs[0].pruned == done.size
    (said,) = [finding for finding in report.findings if finding.name == "log.pruned"]
    assert said.where == f"leaves 0 to {done.size - 1}"
    assert "the time is over" in said.text
    after = leaves(log)
    assert after[: len(before) - done.size] == before[done.size :]


async def test_the_leaf_says_what_went_and_by_whose_word(log: Path) -> None:
    (done,) = await pruned(log, BORN + DAY, Order("case 4711", "maria", legal=True))
    (leaf,) = [leaf for _, raw in leaves(log) if (leaf := decode_leaf(raw)).type == EventType.LOG_PRUNED]
    facts = leaf.facts()
    assert (facts["epoch"], facts["from"], facts["size"], facts["legal"]) == (1, 0, done.size, True)
    assert leaf.who is not None
    assert (leaf.who.id, facts["reason"], facts["root"]) == ("maria", "case 4711", done.root)
    assert facts["until"] == str(done.until_ns)


async def test_proofs_of_kept_leaves_still_hold(log: Path) -> None:
    (done,) = await pruned(log, BORN + DAY)
    reader = open_epochs(log)[0]
    checkpoint, node, view = reader.checkpoint, reader.node(), View(reader)
    for index in (done.size, done.size + 1, checkpoint.size - 1):
        proof = inclusion_proof(node, index, checkpoint.size)
        assert verify_inclusion(leaf_hash(view.leaf(index)), index, checkpoint.size, proof, checkpoint.root)


async def test_readers_pass_over_what_is_gone(log: Path) -> None:
    known = ids(log)
    (done,) = await pruned(log, BORN + DAY)
    left = ids(log)
    assert left < known
    story = tell(log, min(left))
    assert story is not None
    assert story.proof.holds
    assert tell(log, min(known - left)) is None
    view = View(open_epochs(log)[0])
    with pytest.raises(IndexError):
        view.leaf(done.size - 1)
    assert next(view.upwards(0))[0] == done.size
    assert list(view.downwards(view.size))[-1][0] == done.size


async def test_it_goes_on_from_one_pruning_to_the_next(log: Path) -> None:
    (first,) = await pruned(log, BORN + DAY)
    assert await pruned(log, BORN + DAY) == []
    (second,) = await pruned(log, BORN + 150 * DAY)
    assert second.begin == first.size
    assert second.size > first.size
    report = check(log)
    assert grave(report) == []
    assert report.epochs[0].pruned == second.size
    assert report.epochs[0].decisions == 30 * 12 + 60 * 4


async def test_bodies_go_with_the_last_leaf_that_names_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.evidence.retention.segments", lambda _: [])
    clock = TickClock(BORN)
    await write(tmp_path, clock, [f"SELECT {number}" for number in range(200)])
    clock.forward(100 * 86_400)
    await write(tmp_path, clock, ["SELECT 7", "SELECT 900"])
    (done,) = await pruned(tmp_path, BORN + DAY)
    assert len(done.bodies) > 90
    kept = [path.read_bytes() for path in (tmp_path / "objects").rglob("*") if path.is_file()]
    texts = {
        text for text in ("SELECT 1", "SELECT 7", "SELECT 900") if any(f'"{text}"'.encode() in body for body in kept)
    }
    assert texts == {"SELECT 7", "SELECT 900"}
    assert grave(check(tmp_path)) == []


async def write(folder: Path, clock: TickClock, texts: Sequence[str]) -> None:
    recorder = await Recorder.open(folder, clock, checkpoint_interval=3600)
    await recorder.append(opened("s"))
    for number, text in enumerate(texts):
        did = f"{clock.now}-{number}"
        await recorder.append(decided(did, "s", text=text))
        await recorder.append(finished(did, "s"))
    await recorder.close()


async def test_a_body_that_is_named_again_while_it_is_pruned_stays(log: Path) -> None:
    clock = late()
    recorder = await Recorder.open(log, clock, checkpoint_interval=3600)

    async def planner() -> Sequence[Pruning]:
        found = plan(log, BORN + DAY)
        await recorder.append(opened("again"))
        await one_session(recorder, clock, 12)  # names the bodies of the old sessions
        await recorder.checkpoint()
        return [part_with_all_bodies(part, log) for part in found]

    await prune(recorder, log, planner, Order("old"))
    await one_session(recorder, clock, 12)
    await recorder.close()
    shutil.rmtree(log / "log/1/wal")
    (log / "log/1/wal").mkdir()
    missing = [finding for finding in check(log).findings if finding.name == "body.missing"]
    named_again = {
        digest for index, leaf in leaves(log)[-40:] for digest in decode_leaf(leaf).bodies().values() if index
    }
    assert not [finding for finding in missing if any(digest in finding.text for digest in named_again)]


def part_with_all_bodies(part: Pruning, folder: Path) -> Pruning:
    """As if nobody else had named them when the plan was made."""
    digests = tuple(path.name for path in (folder / "objects").rglob("*") if path.is_file())
    return Pruning(**{name: getattr(part, name) for name in part.__struct_fields__ if name != "bodies"}, bodies=digests)


STOPS: list[tuple[str, Callable[[pytest.MonkeyPatch], None]]] = [
    ("before the mark", lambda m: m.setattr(module, "write_mark", stop)),
    ("before the bodies", lambda m: m.setattr(Recorder, "undisturbed", stop)),
    ("before the leaves", lambda m: m.setattr(module, "remove_leaves", stop)),
]


def stop(*_: object) -> None:
    raise OSError("killed here")


@pytest.mark.parametrize("how", [how for _, how in STOPS], ids=[name for name, _ in STOPS])
async def test_a_stop_at_any_moment_is_gone_on_with(log: Path, how: Callable[[pytest.MonkeyPatch], None]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        how(patch)
        with pytest.raises(OSError, match="killed here"):
            await pruned(log, BORN + DAY)
    assert grave(check(log)) == []
    assert (log / FILE).exists()
    await pruned(log, 0)
    assert not (log / FILE).exists()
    report = check(log)
    assert grave(report) == []
    assert report.epochs[0].pruned >= 256
    assert not (log / "log/1" / bundle_path(0)).exists()


@pytest.mark.parametrize("leaf", [3, 10**6])
async def test_nothing_goes_by_a_file_that_somebody_put_there(log: Path, leaf: int) -> None:
    body = next((log / "objects").glob("*/*"))
    begun = {"epoch": 1, "mark": {"size": 256, "leaf": leaf, "epoch": 1}, "bodies": ["../../keys/log-1.key", body.name]}
    (log / FILE).write_bytes(msgspec.json.encode(begun))
    await pruned(log, 0)
    assert not (log / FILE).exists()
    assert body.exists()
    assert (log / "keys/log-1.key").exists()
    assert (grave(check(log)), check(log).epochs[0].pruned) == ([], 0)


async def test_nothing_goes_that_could_not_be_recorded(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: object) -> None:
        raise Unavailable("evidence.unavailable")

    monkeypatch.setattr(Recorder, "append", full)
    with pytest.raises(Unavailable):
        await pruned(log, BORN + DAY)
    assert check(log).epochs[0].pruned == 0
    assert (log / "log/1" / bundle_path(0)).exists()


async def test_an_old_epoch_is_pruned_too(log: Path) -> None:
    (log / "keys/log-1.key").write_bytes(b"?")
    clock = late()
    await asyncio.to_thread(whole_log, log, 3, 4, clock)
    recorder = await Recorder.open(log, clock, checkpoint_interval=3600)

    async def planner() -> Sequence[Pruning]:
        return plan(log, BORN + DAY)

    (done,) = await prune(recorder, log, planner, Order("old"))
    await recorder.close()
    mark = read_mark(log / "log/1")
    assert mark is not None
    assert (mark.epoch, mark.size) == (2, done.size)
    report = check(log)
    assert grave(report) == []
    assert [epoch.pruned for epoch in report.epochs] == [done.size, 0]
    (text,) = (finding.text for finding in report.findings if finding.name == "log.pruned")
    assert text.endswith(": old (the youngest was 200.0 days old); their hashes are here")


def lift_mark(folder: Path) -> None:
    mark = read_mark(folder / "log/1")
    assert mark is not None
    write_mark(folder / "log/1", Mark(size=mark.size + 256, leaf=mark.leaf, epoch=mark.epoch))


DAMAGES: list[tuple[str, Callable[[Path], object], str]] = [
    ("a note without a leaf", lift_mark, "prune.unrecorded"),
    ("a note that is none", lambda f: (f / "log/1/pruned").write_bytes(b"{"), "prune.unrecorded"),
    ("no note", lambda f: (f / "log/1/pruned").unlink(), "entries.missing"),
    ("a tile of leaves that are gone", lambda f: (f / "log/1/tile/0/000").unlink(), "tile.missing"),
    ("another hash for a leaf that is gone", lambda f: _spoil(f / "log/1/tile/0/000"), "root.mismatch"),
    ("a cut tile", lambda f: (f / "log/1/tile/0/000").write_bytes(bytes(40)), "tile.missing"),
]


def _spoil(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[70] ^= 4
    path.write_bytes(data)


@pytest.mark.parametrize(("damage", "name"), [entry[1:] for entry in DAMAGES], ids=[entry[0] for entry in DAMAGES])
async def test_what_is_not_recorded_or_was_changed_is_found(
    log: Path, damage: Callable[[Path], object], name: str
) -> None:
    await pruned(log, BORN + DAY)
    damage(log)
    assert name in grave(check(log))


async def test_a_leaf_that_is_not_signed_excuses_no_leaves_that_are_gone(log: Path, tmp_path: Path) -> None:
    """Without the log's key a leaf can be put into the write-ahead log, but not be signed."""
    copy = tmp_path / "copy"
    shutil.copytree(log, copy)
    recorder = await Recorder.open(copy, late(), checkpoint_interval=3600)

    async def planner() -> Sequence[Pruning]:
        return plan(copy, BORN + DAY)

    await prune(recorder, copy, planner, Order("old"))
    await recorder.close()
    for name in ("log/1/wal", "objects"):
        shutil.copytree(copy / name, log / name, dirs_exist_ok=True)
    shutil.copy(copy / "log/1/pruned", log / "log/1/pruned")
    (log / "log/1" / bundle_path(0)).unlink()
    assert "prune.unrecorded" in grave(check(log))


async def test_a_verification_goes_on_over_a_pruning(log: Path, tmp_path: Path) -> None:
    memory = Options(Memory(tmp_path / "memory"))
    assert verify(log, late(), options=memory).ok
    (done,) = await pruned(log, BORN + DAY)
    for _ in range(2):
        report = verify(log, late(), options=memory)
        assert report.ok
        assert report.epochs[0].pruned == done.size
    assert report.epochs[0].taken > 0
    assert "log.pruned" in {finding.name for finding in report.findings}


async def test_a_search_while_a_gateway_prunes_finds_what_is_there(log: Path) -> None:
    await pruned(log, BORN + DAY)
    assert await asyncio.to_thread(ids, log)
