"""What our log says must stand in the server's: marks with their texts, and how often each was used."""

import pytest

from gateway.core.events import Event, EventType
from gateway.evidence.reconcile_ours import Ours, ours_of, own_hash
from tests.evidence.server_log import START_NS, Log, did, sid

S = sid(1)


def test_a_simple_query_has_its_own_mark() -> None:
    log = Log()
    log.opened(S)
    log.decided(S, did(1), "a" * 64)
    log.finished(S, did(1))
    log.decided(S, did(2), "b" * 64, ok=False)
    log.closed(S)
    ours = log.ours()
    sent = ours.marks[did(1)]
    assert (sent.sid, sent.plans, sent.surely, sent.perhaps, sent.refused) == (S, ["a" * 64], 1, 0, False)
    assert ours.marks[did(2)].refused
    session = ours.sessions[S]
    assert (session.opened_ns, session.closed_ns) == (START_NS + 10_000_000, START_NS + 50_000_000)


def test_several_statements_in_one_message_stand_behind_one_mark() -> None:
    log = Log()
    for number, plan in enumerate("abc", 1):
        log.decided(S, did(number), plan * 64, mark=did(1) if number > 1 else "")
    for number in range(1, 4):
        log.finished(S, did(number))
    ours = log.ours()
    assert list(ours.marks) == [did(1)]
    assert ours.marks[did(1)].plans == ["a" * 64, "b" * 64, "c" * 64]
    assert (ours.marks[did(1)].surely, ours.decisions) == (1, 3)


@pytest.mark.parametrize(
    ("how", "surely", "perhaps"),
    [
        ("done", 2, 0),
        ("suspended", 2, 0),
        ("failed", 1, 1),
        ("lost", 1, 1),
        ("outcome_unknown", 1, 1),
        ("skipped", 1, 0),
    ],
)
def test_what_is_prepared_is_counted_by_its_executions(how: str, surely: int, perhaps: int) -> None:
    log = Log()
    log.decided(S, did(1), "a" * 64, phase="parse")
    log.finished(S, did(1))
    for number, end in ((2, "done"), (3, how)):
        log.decided(S, did(number), "a" * 64, phase="execute", mark=did(1))
        log.finished(S, did(number), end)
    sent = log.ours().marks[did(1)]
    assert (sent.surely, sent.perhaps, sent.plans) == (surely, perhaps, ["a" * 64])


def test_an_execution_whose_parse_lies_before_what_is_read_stands_for_itself() -> None:
    log = Log()
    log.decided(S, did(2), "a" * 64, phase="execute", mark=did(1))
    ours = log.ours()
    assert ours.marks[did(1)].plans == ["a" * 64]
    assert ours.sessions[S].opened_ns == 0


def test_other_connections_are_left_out() -> None:
    log = Log()
    log.opened(S)
    log.decided(S, did(1), "a" * 64)
    ours = ours_of(log.leaves, "other", lambda _: None)
    assert (ours.marks, ours.sessions, ours.decisions) == ({}, {}, 0)


def test_a_configuration_names_the_database_and_the_gateways_own_statements() -> None:
    log = Log()
    data: dict[str, object] = {"connections": {"payments": {"database": "pay"}}, "own": ["0011", "2233"]}
    log.add(Event(type=EventType.CONFIG_LOADED, data=data))
    ours = log.ours()
    assert (ours.database, ours.own) == ("pay", {"0011", "2233"})


def test_an_id_is_covered_when_it_was_made_while_the_log_was_written() -> None:
    ours = Ours("payments", begin_ns=START_NS + 5_000_000_000, end_ns=START_NS + 9_000_000_000)
    made = {seconds: f"{(START_NS // 1_000_000) + seconds * 1000:012x}-7000-8000" for seconds in (1, 4, 5, 9, 10)}
    assert {seconds: ours.covers(each) for seconds, each in made.items()} == {
        1: False,
        4: True,
        5: True,
        9: True,
        10: False,
    }
    assert ours.covers("nothing-like-it")


def test_reading_ends_behind_the_time_that_is_asked_for() -> None:
    log = Log()
    log.decided(S, did(1), "a" * 64)
    log.seconds = 2 * 3600
    log.decided(S, did(2), "a" * 64)
    assert list(ours_of(log.leaves, "payments", lambda _: None, until_ns=START_NS).marks) == [did(1)]


def test_facts_too_long_for_their_leaf_are_read_from_their_body() -> None:
    log = Log()
    long: dict[str, object] = {"phase": "query", "x": "y" * 5000}
    log.add(
        Event(type=EventType.STATEMENT_DECIDED, sid=S, did=did(1), res="payments", plan="sha256:" + "a" * 64, data=long)
    )
    asked: list[str] = []

    def body(digest: str) -> bytes:
        asked.append(digest)
        return b'{"phase":"parse"}'

    assert ours_of(log.leaves, "payments", body).marks[did(1)].perhaps == 0
    assert len(asked) == 1
    with pytest.raises(ValueError, match="not there"):
        ours_of(log.leaves, "payments", lambda _: None)


def test_the_gateways_own_statements_are_known_whatever_their_lists_hold() -> None:
    one, many = "VALUES ( ? , ? ) x", "VALUES ( ? , ? ) , ( ? , ? ) , ( ? , ? ) x"
    assert own_hash([one]) == own_hash([many])
    assert own_hash([one]) != own_hash(["VALUES ( ? ) x"])
