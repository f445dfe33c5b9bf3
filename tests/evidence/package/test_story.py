"""The log of a package: what is before and behind the period, several epochs, earlier checkpoints, gaps."""

import json
import shutil
from pathlib import Path

import pytest

from gateway.evidence.keys import load_keys
from gateway.evidence.note import Checkpoint, Signer
from gateway.evidence.package.population import Period
from gateway.evidence.package.verifier.archive import Archive
from gateway.evidence.package.verifier.story import Leaf, Walk
from tests.evidence.package.mutations import Base, files_of, sealed
from tests.evidence.package.world import key_of, packed, verified, verified_bytes, write_log, wrong
from tests.evidence.world import MILLISECOND, NOW, TickClock

HOUR = 3600 * 10**9


def base_of(package: Path, signer: Signer) -> Base:
    raw = package.read_bytes()
    with package.open("rb") as file:
        return Base(raw, files_of(Archive(file)), signer, signer, b"", b"")


def leaf(at: int, kind: str, seq: int, sid: str = "", time_ns: int = 0, **facts: object) -> Leaf:
    return Leaf(1, at, b"", {"type": kind, "seq": seq, "sid": sid, "t": str(time_ns), "data": facts})


def names(walk: Walk) -> list[str]:
    return [finding.name for finding in walk.findings]


def test_a_period_in_the_middle_is_covered_with_what_shows_that_nothing_is_left_out(tmp_path: Path) -> None:
    clock = TickClock()
    for _ in range(8):
        write_log(tmp_path / "var", sessions=12, clock=clock)
        clock.forward(3600)
    output = tmp_path / "e.zip"
    taken = packed(tmp_path / "var", output, Period(NOW + 2 * HOUR, NOW + 4 * HOUR), clock=clock)
    (_, span) = taken.epochs[0]
    assert 0 < span.low * 256 <= span.first < span.end <= span.high * 256 < taken.newest.tree.size
    found = verified(output, key_of(tmp_path / "var"))
    assert (found.code, wrong(found), found.decisions) == (0, [], 2 * 12 * 12)


@pytest.mark.parametrize("side", ["before", "behind"])
def test_entries_that_end_with_the_period_are_too_few(tmp_path: Path, side: str) -> None:
    clock = TickClock()
    for _ in range(8):
        write_log(tmp_path / "var", sessions=12, clock=clock)
        clock.forward(3600)
    output = tmp_path / "e.zip"
    packed(tmp_path / "var", output, Period(NOW + 2 * HOUR, NOW + 4 * HOUR), clock=clock)
    base = base_of(output, load_keys(tmp_path / "var/keys", 1).signer)
    (log,) = json.loads(base.files["MANIFEST.json"])["log"]
    low, high = log["blocks"]
    if side == "before":
        log["blocks"] = [low + 2, high]
        log["leaves"][0] = max(log["leaves"][0], (low + 2) * 256)
    else:
        log["blocks"] = [low, high - 2]
        log["leaves"][1] = min(log["leaves"][1], (high - 2) * 256)
    assert "period.uncovered" in wrong(verified_bytes(sealed(base, base.files, log=[log]), key_of(tmp_path / "var")))


def two_epochs(folder: Path, *, put_back: bool = False) -> TickClock:
    """A log whose write-ahead log is gone, or that was put back from a copy: so a second epoch began."""
    clock = TickClock()
    write_log(folder, sessions=12, clock=clock)
    shutil.copytree(folder / "log", folder / "copy")
    write_log(folder, sessions=12, clock=clock)
    if put_back:
        shutil.rmtree(folder / "log")
        shutil.move(folder / "copy", folder / "log")
    else:
        shutil.rmtree(folder / "log/1/wal")
    write_log(folder, sessions=12, clock=clock)
    return clock


@pytest.mark.parametrize("put_back", [False, True])
def test_two_epochs_are_linked_unless_the_first_lost_leaves(tmp_path: Path, put_back: bool) -> None:  # noqa: FBT001 -- the two cases
    clock = two_epochs(tmp_path / "var", put_back=put_back)
    output = tmp_path / "e.zip"
    taken = packed(tmp_path / "var", output, clock=clock)
    assert [snapshot.epoch for snapshot, _ in taken.epochs] == [1, 2]
    found = verified(output, key_of(tmp_path / "var", 2))
    assert wrong(found) == (["epoch.unlinked"] if put_back else [])


def test_an_epoch_left_out_is_missed(tmp_path: Path) -> None:
    clock = two_epochs(tmp_path / "var")
    output = tmp_path / "e.zip"
    packed(tmp_path / "var", output, clock=clock)
    base = base_of(output, load_keys(tmp_path / "var/keys", 2).signer)
    log = json.loads(base.files["MANIFEST.json"])["log"][1:]
    files = {name: raw for name, raw in base.files.items() if not name.startswith("log/1/")}
    assert "period.uncovered" in wrong(verified_bytes(sealed(base, files, log=log), key_of(tmp_path / "var", 2)))


def test_an_earlier_checkpoint_of_another_history_is_no_beginning(base: Base) -> None:
    path = "log/1/earlier/3"
    note = base.signer.sign(Checkpoint(base.signer.verifier.name, 3, bytes(32)).text())
    files = {**base.files, f"{path}.checkpoint": note, f"{path}.consistency": b""}
    found = verified_bytes(sealed(base, files), base.signer.verifier.encode())
    assert "consistency.invalid" in wrong(found)


def test_numbers_of_a_session_run_on_from_wherever_the_entries_begin() -> None:
    walk = Walk()
    for at, seq in enumerate((7, 8, 9)):
        walk.leaf(leaf(at, "statement.decided", seq, "s"))
    assert names(walk) == []
    walk.leaf(leaf(3, "statement.decided", 11, "s"))
    walk.leaf(leaf(4, "statement.decided", 11, "s"))
    assert names(walk) == ["session.gap", "session.repeated"]


def test_a_session_begins_at_one_and_so_does_each_run_of_the_log() -> None:
    walk = Walk()
    walk.leaf(leaf(0, "session.opened", 2, "s"))
    walk.leaf(leaf(1, "log.opened", 1))
    walk.leaf(leaf(2, "log.closed", 2))
    walk.leaf(leaf(3, "log.opened", 1))
    assert names(walk) == ["session.gap"]


def test_silence_while_the_log_is_open_is_noted() -> None:
    walk = Walk()
    walk.leaf(leaf(0, "log.opened", 1, time_ns=NOW))
    walk.leaf(leaf(1, "heartbeat", 2, time_ns=NOW + 10 * 10**9))
    walk.leaf(leaf(2, "heartbeat", 3, time_ns=NOW + 40 * 10**9))
    walk.leaf(leaf(3, "log.degraded", 4, time_ns=NOW + 41 * 10**9, cause="ENOSPC"))
    walk.leaf(leaf(4, "log.closed", 5, time_ns=NOW + 42 * 10**9 + MILLISECOND))
    walk.leaf(leaf(5, "log.opened", 1, time_ns=NOW + HOUR))
    assert names(walk) == ["heartbeat.late", "log.degraded"]


def test_what_was_shredded_is_known() -> None:
    walk = Walk()
    said = {"type": "body.shredded", "seq": 1, "t": "0", "data": {"a" * 64: True, "reason": "order"}}
    walk.leaf(Leaf(1, 0, b"", said))
    assert walk.shredded == {"a" * 64}
