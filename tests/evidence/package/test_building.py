"""A package is made of what is signed, the same bytes each time, and keeps its promises when the log goes on."""

import json
import shutil
import zipfile
from pathlib import Path

import pytest

from gateway.evidence.package.building import keep_checkpoint, take
from gateway.evidence.package.population import Period
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


def test_nothing_half_written_is_left_when_it_fails(tmp_path: Path) -> None:
    write_log(tmp_path / "var", sessions=3)

    def fails() -> bytes:
        raise OSError("full")

    with pytest.raises(OSError, match="full"):
        packed(tmp_path / "var", tmp_path / "e.zip", more={"report/x": fails})
    assert [path.name for path in tmp_path.iterdir() if "zip" in path.name] == []


def test_an_assessors_seed_draws_the_same_from_the_same_population(tmp_path: Path) -> None:
    write_log(tmp_path / "var", sessions=6)
    drawn = []
    for name in ("one", "two"):
        packed(tmp_path / "var", tmp_path / f"{name}.zip", Period(0, NOW + 200 * 10**6), seed="theirs")
        with zipfile.ZipFile(tmp_path / f"{name}.zip") as archive:
            drawn.append(json.loads(archive.read("decisions/sample.json"))["strata"])
    assert drawn[0] == drawn[1]
    assert "seed.given" in {f.name for f in verified(tmp_path / "two.zip", key_of(tmp_path / "var")).findings}
