"""The history's Parquet: its columns, its partitions, and that it is read as it was written."""

from pathlib import Path

import duckdb
import pytest

from gateway.cli.policy.parquet import BODIES, COLUMNS, ParquetPast, Row, write_history
from gateway.cli.policy.past import LoggedPast, Period
from gateway.core.errors import ConfigError
from gateway.policy.store import BundleStore
from tests.cli.audit.world import Written, written


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Written, Path]:
    folder = tmp_path_factory.mktemp("world")
    past = written(folder / "var")
    found = write_history(LoggedPast(past.folder, Period()), BundleStore(past.folder), folder / "history", nothing)
    assert found == (3, 4)
    return past, folder / "history"


def nothing(*_: int) -> None:
    """Nobody watches."""


def test_columns_and_types_are_those_of_the_reference_page(world: tuple[Written, Path]) -> None:
    files = (f"{world[1]}/decisions/*/*.parquet", f"{world[1]}/documents/*.parquet")
    for pattern, columns in zip(files, (COLUMNS, BODIES), strict=True):
        found = duckdb.execute(
            "DESCRIBE SELECT * FROM read_parquet(?, hive_types_autocast = false)", [pattern]
        ).fetchall()
        assert {row[0]: row[1] for row in found} == columns
    assert tuple(COLUMNS) == Row.__struct_fields__


def test_days_are_partitions_in_utc(world: tuple[Written, Path]) -> None:
    assert [path.name for path in (world[1] / "decisions").iterdir()] == ["day=2030-03-17"]


def test_what_is_read_is_what_the_log_says(world: tuple[Written, Path]) -> None:
    logged, exported = LoggedPast(world[0].folder, Period()), ParquetPast(world[1], Period())
    key = {group.example: group for group in logged.groups(nothing)}
    assert {group.example: group for group in exported.groups(nothing)} == key
    names = {name for group in key.values() for name in (group.input, group.answer) if name}
    assert dict(exported.bodies(names)) == dict(logged.bodies(names))


def test_the_bundles_that_decided_come_along(world: tuple[Written, Path]) -> None:
    assert BundleStore(world[1]).read(world[0].bundle) == BundleStore(world[0].folder).read(world[0].bundle)


def test_a_period_cuts_an_exported_history_too(world: tuple[Written, Path]) -> None:
    times = [int(leaf.t) for leaf in LoggedPast(world[0].folder, Period()).leaves(nothing)]
    inside = ParquetPast(world[1], Period(times[1], times[2])).groups(nothing)
    assert [group.example for group in inside] == [world[0].hostile]


def test_a_folder_without_history_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no history"):
        ParquetPast(tmp_path, Period())
