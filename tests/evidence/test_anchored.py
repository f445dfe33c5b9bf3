"""`audit verify` believes a time-stamp that holds, and names one that does not, or is of another history."""

import asyncio
import hashlib
import shutil
from pathlib import Path

import pytest

from gateway.core.events import Event, EventType
from gateway.evidence import anchored
from gateway.evidence.anchor import ask, read_roots
from gateway.evidence.anchors import keep_anchor
from gateway.evidence.keys import load_keys
from gateway.evidence.merkle import range_root
from gateway.evidence.note import Checkpoint
from gateway.evidence.reader import LogReader
from gateway.evidence.recorder import Recorder
from gateway.evidence.verified import Memory
from gateway.evidence.verify import Options, verify
from tests.evidence.world import TickClock, whole_log
from tests.support.tsa import NAME, Authority

AT = 1_795_602_169_000_000_000


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    whole_log(folder, sessions=40, statements=5)
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    made = tmp_path / "copy"
    shutil.copytree(whole, made)
    return made


def stamp(folder: Path, authority: Authority, size: int, root: bytes | None = None) -> Path:
    """Have the tree of that size stamped; the token's file."""
    reader, log = LogReader(folder, 1), load_keys(folder / "keys", 1).signer
    root = root or range_root(reader.node(), 0, min(size, reader.checkpoint.size))
    note = log.sign(Checkpoint(log.verifier.name, size, root).text())
    name = keep_anchor(reader.prefix, "http://tsa", AT + size, size, (note, authority.reply(ask(note).body)))
    return reader.prefix / f"anchors/{name}.tsr"


def said(folder: Path, authority: Authority | None) -> list[tuple[str, bool, str]]:
    roots = read_roots(authority.roots.read_bytes()) if authority else ()
    report = verify(folder, TickClock(), options=Options(anchor_roots=roots))
    return [(each.name, each.grave, each.text) for each in report.findings if each.name.startswith("anchor.")]


def test_a_log_without_time_stamps_says_nothing_of_them(folder: Path, authority: Authority) -> None:
    assert said(folder, authority) == []


def test_time_stamps_that_hold_are_counted_and_the_last_one_is_told(folder: Path, authority: Authority) -> None:
    for size in (1, 256, 300):
        stamp(folder, authority, size)
    ((name, grave, text),) = said(folder, authority)
    assert (name, grave) == ("anchor.holds", False)
    assert text.startswith(f"3 time-stamps; the last, by {NAME} at 20")


def test_without_roots_or_the_package_they_are_not_verified_and_that_is_said(
    folder: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamp(folder, authority, 300)
    assert said(folder, None) == [("anchor.unchecked", False, "1 time-stamps were not verified: give --anchor-ca")]
    monkeypatch.setattr(anchored, "is_available", lambda: False)
    ((name, _, text),) = said(folder, authority)
    assert (name, "pip install 'querywarden[anchor]'" in text) == ("anchor.unchecked", True)


@pytest.mark.parametrize("ending", [".tsr", ".checkpoint"])
def test_a_changed_or_missing_half_is_named(folder: Path, authority: Authority, ending: str) -> None:
    path = stamp(folder, authority, 300).with_suffix(ending)
    data = bytearray(path.read_bytes())
    data[-20 if ending == ".tsr" else 12] ^= 4
    path.write_bytes(data)
    assert [each[:2] for each in said(folder, authority)] == [("anchor.token", True)]
    path.unlink()
    assert [each[:2] for each in said(folder, authority)] == ([] if ending == ".tsr" else [("anchor.token", True)])


def test_a_time_stamp_of_an_unknown_authority_is_named(folder: Path, authority: Authority, tmp_path: Path) -> None:
    stamp(folder, authority, 300)
    assert [each[:2] for each in said(folder, Authority(tmp_path / "other"))] == [("anchor.token", True)]


def test_a_time_stamp_of_another_history_is_named(folder: Path, authority: Authority) -> None:
    stamp(folder, authority, 100, root=b"x" * 32)
    stamp(folder, authority, 100_000)
    assert {each[:2] for each in said(folder, authority)} == {("anchor.other_tree", True), ("anchor.ahead", True)}


def test_a_time_stamp_that_cannot_be_compared_is_named(folder: Path, authority: Authority) -> None:
    stamp(folder, authority, 300)
    shutil.rmtree(folder / "log/1/tile/0/001.p")
    assert [each[:2] for each in said(folder, authority)] == [("anchor.unproved", True)]


async def recorded(folder: Path, name: str, digest: str) -> None:
    """A leaf tells of a time-stamp, and some hundred more follow."""
    recorder = await Recorder.open(folder, TickClock())
    data: dict[str, object] = {"name": name, "token": f"sha256:{digest}", "size": 300}
    await recorder.append(Event(type=EventType.LOG_ANCHORED, data=data))
    for _ in range(300):
        recorder.beat()
    await recorder.close()


def test_a_time_stamp_that_a_leaf_tells_of_is_missed_also_by_who_has_verified_before(
    folder: Path, authority: Authority, tmp_path: Path
) -> None:
    token = stamp(folder, authority, 300)
    asyncio.run(recorded(folder, token.stem, hashlib.sha256(token.read_bytes()).hexdigest()))
    options = Options(memory=Memory(tmp_path / "memory"))

    def named() -> set[tuple[str, bool]]:
        found = verify(folder, TickClock(), options=options).findings
        return {(each.name, each.grave) for each in found if each.name.startswith("anchor.")}

    assert named() == {("anchor.unchecked", False)}
    whole = token.read_bytes()
    token.write_bytes(whole[:-1])
    assert named() == {("anchor.unchecked", False), ("anchor.changed", True)}
    token.write_bytes(whole)
    assert named() == {("anchor.unchecked", False)}
    token.with_suffix(".checkpoint").unlink()
    assert named() == {("anchor.unchecked", False), ("anchor.missing", True)}
    token.unlink()
    assert named() == {("anchor.missing", True)}
