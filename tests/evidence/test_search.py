"""Searching the log: by everything a leaf and its documents say, the latest first, no more than was asked for."""

import asyncio
from pathlib import Path

import pytest

from gateway.core.events import Event, EventType
from gateway.evidence.recorder import Recorder
from gateway.evidence.search import Query, search
from gateway.evidence.view import View
from tests.evidence.world import TickClock, closed, decided, finished, one_session, opened, whole_log


async def write(folder: Path) -> None:
    clock = TickClock()
    recorder = await Recorder.open(folder, clock, checkpoint_interval=3600)
    await recorder.append(opened("s1"))
    await recorder.append(decided("d1", "s1"))
    await recorder.append(finished("d1", "s1"))
    clock.forward(3600)
    await recorder.append(opened("s2"))
    await recorder.append(
        decided("d2", "s2", ok=False, subject="intern", person="maria", action="drop", connection="hr",
                code="access.not_granted", text="DROP TABLE people")
    )  # fmt: skip
    refused = decided("d3", "s2", ok=False)
    facts: dict[str, object] = {"refused": {"code": "statement.unanalysable", "message": "m"}}
    await recorder.append(Event(type=refused.type, sid="s2", did="d3", ok=False, outcome="deny", data=facts))
    await recorder.append(decided("d4", "s1", text="SELECT PAN FROM cards"))
    await recorder.append(closed("s1"))
    await recorder.append(closed("s2"))
    await recorder.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("search")
    asyncio.run(write(folder))
    return folder


def found(folder: Path, limit: int = 50, /, **query: str | int) -> list[str]:
    return [hit.did for hit in search(folder, Query(**query), limit)]  # type: ignore[arg-type]  # a table of queries


def test_without_conditions_every_decision_is_found_the_latest_first(folder: Path) -> None:
    assert found(folder) == ["d4", "d3", "d2", "d1"]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        (Query(subject="intern"), ["d2"]),
        (Query(subject="maria"), ["d2"]),
        (Query(connection="payments"), ["d4", "d1"]),
        (Query(action="drop"), ["d2"]),
        (Query(outcome="deny"), ["d3", "d2"]),
        (Query(outcome="outcome_unknown"), ["d4"]),
        (Query(outcome="done"), ["d1"]),
        (Query(code="access.not_granted"), ["d2"]),
        (Query(code="statement.unanalysable"), ["d3"]),
        (Query(relation="cards"), ["d4", "d2", "d1"]),
        (Query(relation="public.cards", action="select"), ["d4", "d1"]),
        (Query(relation="archive.cards"), []),
        (Query(label="pan", outcome="allow"), ["d4", "d1"]),
        (Query(label="cvv"), []),
        (Query(text="drop table"), ["d2"]),
        (Query(text="select pan"), ["d4"]),
        (Query(session="s1"), ["d4", "d1"]),
        (Query(subject="nobody"), []),
    ],
)
def test_every_condition_is_honoured(folder: Path, query: Query, ids: list[str]) -> None:
    assert [hit.did for hit in search(folder, query, 50)] == ids


def test_a_time_range_is_honoured(folder: Path) -> None:
    times = {hit.did: hit.time_ns for hit in search(folder, Query(), 9)}
    assert found(folder, since_ns=times["d2"]) == ["d4", "d3", "d2"]
    assert found(folder, until_ns=times["d2"]) == ["d2", "d1"]
    assert found(folder, since_ns=times["d3"], until_ns=times["d3"]) == ["d3"]
    assert found(folder, since_ns=times["d4"] + 1) == []
    assert found(folder, until_ns=0) == []


def test_a_hit_says_what_a_table_shows(folder: Path) -> None:
    (hit,) = search(folder, Query(code="access.not_granted"), 1)
    assert (hit.subject, hit.on_behalf_of, hit.connection, hit.action) == ("intern", "maria", "hr", "drop")
    assert (hit.outcome, hit.ended, hit.codes) == ("deny", "", ("access.not_granted",))
    assert (hit.relations, hit.statement) == (("public.cards",), "DROP TABLE people")


def test_no_more_are_found_than_were_asked_for(finished_log: Path) -> None:
    whole = found(finished_log, 10_000)
    assert len(whole) == 30 * 12
    assert found(finished_log, 7) == whole[:7]


def test_a_search_reads_no_further_than_it_must(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, read = TickClock(), list[int]()
    whole_log(tmp_path, sessions=30, statements=12, clock=clock)
    clock.forward(7200)
    since = clock.now
    late = whole_log(tmp_path, sessions=30, statements=12, clock=clock)
    original = View.block

    def block(self: View, number: int) -> list[bytes]:
        read.append(number)
        return original(self, number)

    monkeypatch.setattr(View, "block", block)
    monkeypatch.setattr(View, "block_at", lambda self, _: self.blocks - 1)
    assert found(tmp_path, 3) == late[:-4:-1]
    assert set(read) == {5}
    assert found(tmp_path, 10_000, since_ns=since) == late[::-1]
    assert 0 not in read


def test_it_finds_what_is_not_signed_yet(tmp_path: Path) -> None:
    async def write_and_search() -> tuple[list[str], list[str]]:
        clock = TickClock()
        recorder = await Recorder.open(tmp_path, clock, checkpoint_interval=3600)
        ids = await one_session(recorder, clock, 5)
        hits = found(tmp_path)
        await recorder.close()
        return ids, hits

    ids, hits = asyncio.run(write_and_search())
    assert hits == ids[::-1]


def test_epochs_are_searched_from_the_newest_to_the_oldest(tmp_path: Path) -> None:
    clock = TickClock()
    old = whole_log(tmp_path, sessions=1, clock=clock)
    (tmp_path / "keys/log-1.key").write_bytes(b"?")
    new = whole_log(tmp_path, sessions=1, clock=clock)
    assert found(tmp_path) == [*new[::-1], *old[::-1]]


def test_a_missing_body_hides_nothing_else(tmp_path: Path) -> None:
    whole_log(tmp_path, sessions=1)
    for path in [*(tmp_path / "objects").rglob("*"), *(tmp_path / "log/1/wal").glob("*")]:
        if path.is_file():
            path.unlink()
    assert {hit.statement for hit in search(tmp_path, Query(), 50)} == {""}
    assert len(found(tmp_path, subject="agent-7")) == 4


def test_a_folder_without_a_log_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        found(tmp_path)


def test_only_decisions_are_hits(folder: Path) -> None:
    assert EventType.SESSION_OPENED not in {hit.outcome for hit in search(folder, Query(), 50)}
