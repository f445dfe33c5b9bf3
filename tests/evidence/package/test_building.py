"""A package is made of what is signed, the same bytes each time, and keeps its promises when the log goes on."""

import asyncio
import json
import shutil
import zipfile
from pathlib import Path

import pytest

from gateway.evidence.package.building import keep_checkpoint, take
from gateway.evidence.package.population import Period
from gateway.evidence.pruning import Order, prune
from gateway.evidence.reader import open_epochs
from gateway.evidence.recorder import Recorder
from gateway.evidence.retention import Pruning, plan
from tests.evidence.package.world import ALWAYS, built, key_of, packed, verified, write_log, wrong
from tests.evidence.world import NOW, TickClock


def test_the_same_log_gives_the_same_bytes(tmp_path: Path) -> None:
    write_log(tmp_path / "one", sessions=6)
    shutil.copytree(tmp_path / "one", tmp_path / "other")
    packages = [tmp_path / "one.zip", tmp_path / "other.zip"]
    for package in packages:
        built(tmp_path / package.stem, package)
    assert packages[0].read_bytes() == packages[1].read_bytes()


def test_nothing_signed_is_nothing_to_take(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="nothing is signed"):
        take(tmp_path, ALWAYS)


def test_a_period_that_is_not_over_ends_behind_the_last_signed_leaf(tmp_path: Path) -> None:
    write_log(tmp_path / "var", sessions=3)
    taken = take(tmp_path / "var", Period(0, 1 << 62))
    assert NOW < taken.period.until_ns < NOW + 10**12
    assert taken.period.until_ns == taken.newest.last_ns() + 1


def test_a_period_before_everything_is_an_empty_package_that_holds(tmp_path: Path) -> None:
    write_log(tmp_path / "var", sessions=3)
    packed(tmp_path / "var", tmp_path / "e.zip", Period(0, 5))
    found = verified(tmp_path / "e.zip", key_of(tmp_path / "var"))
    assert (found.code, found.decisions, found.samples) == (0, 0, 0)


def test_only_some_connections(tmp_path: Path) -> None:
    write_log(tmp_path / "var", sessions=3)
    packed(tmp_path / "var", tmp_path / "e.zip", ALWAYS._replace(connections=("ledger",)))
    found = verified(tmp_path / "e.zip", key_of(tmp_path / "var"))
    assert (wrong(found), found.decisions) == ([], 18)


def test_the_next_export_proves_that_the_log_went_on_from_the_last(tmp_path: Path) -> None:
    clock = TickClock()
    write_log(tmp_path / "var", sessions=6, clock=clock)
    taken = packed(tmp_path / "var", tmp_path / "one.zip", clock=clock)
    kept = keep_checkpoint(taken)
    assert kept.read_bytes() == taken.newest.note
    write_log(tmp_path / "var", sessions=6, clock=clock)
    packed(tmp_path / "var", tmp_path / "two.zip", clock=clock)
    size = taken.newest.tree.size
    with zipfile.ZipFile(tmp_path / "two.zip") as archive:
        assert archive.read(f"log/1/earlier/{size}.checkpoint") == taken.newest.note
    assert wrong(verified(tmp_path / "two.zip", key_of(tmp_path / "var"))) == []


def test_only_its_owner_can_read_a_package(tmp_path: Path) -> None:
    write_log(tmp_path / "var", sessions=3)
    built(tmp_path / "var", tmp_path / "e.zip")
    assert (tmp_path / "e.zip").stat().st_mode & 0o777 == 0o600


def test_nothing_half_written_is_left_when_it_fails(tmp_path: Path) -> None:
    write_log(tmp_path / "var", sessions=3)

    def fails() -> bytes:
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        packed(tmp_path / "var", tmp_path / "e.zip", more={"report/x": fails})
    assert [path.name for path in tmp_path.iterdir() if "zip" in path.name] == []


def test_a_pruned_log_gives_what_is_left_and_says_that_the_rest_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gateway.evidence.retention.segments", lambda _: [])  # of a log a hundred times as long
    clock = TickClock()
    write_log(tmp_path / "var", clock=clock)
    clock.forward(86_400)
    later = clock.now
    write_log(tmp_path / "var", clock=clock)

    async def pruned() -> None:
        recorder = await Recorder.open(tmp_path / "var", clock, checkpoint_interval=3600)

        async def planner() -> list[Pruning]:
            return list(plan(tmp_path / "var", later))

        await prune(recorder, tmp_path / "var", planner, Order("the time is over"))
        await recorder.close()
        shutil.rmtree(tmp_path / "var/log/1/wal")  # what a longer log would have dropped long ago
        (tmp_path / "var/log/1/wal").mkdir()

    asyncio.run(pruned())
    assert open_epochs(tmp_path / "var")[-1].begin > 0
    built(tmp_path / "var", tmp_path / "all.zip")
    found = verified(tmp_path / "all.zip", key_of(tmp_path / "var"))
    assert (found.code, wrong(found)) == (2, ["period.uncovered"])
    built(tmp_path / "var", tmp_path / "late.zip", Period(later + 3600 * 10**9, 1 << 62))
    assert verified(tmp_path / "late.zip", key_of(tmp_path / "var")).code == 0


def test_an_assessors_seed_draws_the_same_from_the_same_population(tmp_path: Path) -> None:
    write_log(tmp_path / "var", sessions=6)
    drawn = []
    for name in ("one", "two"):
        packed(tmp_path / "var", tmp_path / f"{name}.zip", Period(0, NOW + 200 * 10**6), seed="theirs")
        with zipfile.ZipFile(tmp_path / f"{name}.zip") as archive:
            drawn.append(json.loads(archive.read("decisions/sample.json"))["strata"])
    assert drawn[0] == drawn[1]
    assert "seed.given" in {f.name for f in verified(tmp_path / "two.zip", key_of(tmp_path / "var")).findings}
