"""What the server owes, message by message."""

import pytest

from gateway.core.errors import ProtocolError
from gateway.session.exchange import Entry, Exchange, Wait
from gateway.session.task import Phase, Settled, Task
from tests.session.fakes import ruling


def task(phase: Phase = Phase.QUERY) -> Task:
    return Task(ruling(), phase, 0)


def feed(exchange: Exchange, kinds: str) -> list[tuple[Task, Settled]]:
    return [done for kind in kinds for done in exchange.receive(kind.encode()).finished]


def test_a_query_of_two_statements_finishes_each_at_its_own_command_complete() -> None:
    exchange, one, two = Exchange(), task(), task()
    exchange.sent(Entry(Wait.QUERY, (one, two)))
    assert feed(exchange, "TDDC") == [(one, Settled.DONE)]
    assert feed(exchange, "TDC") == [(two, Settled.DONE)]
    assert not exchange.idle
    assert feed(exchange, "Z") == []
    assert exchange.idle


def test_an_error_in_a_query_skips_the_statements_behind_it() -> None:
    exchange, one, two = Exchange(), task(), task()
    exchange.sent(Entry(Wait.QUERY, (one, two)))
    assert feed(exchange, "E") == [(one, Settled.FAILED), (two, Settled.SKIPPED)]
    assert feed(exchange, "Z") == []


def test_an_error_in_the_extended_protocol_skips_everything_up_to_sync() -> None:
    exchange, late = Exchange(), task(Phase.EXECUTE)
    for entry in (Entry(Wait.PARSE), Entry(Wait.BIND), Entry(Wait.EXECUTE, (late,)), Entry(Wait.SYNC)):
        exchange.sent(entry)
    step = exchange.receive(b"E")
    assert [how for _, how in step.settled] == [Settled.FAILED, Settled.SKIPPED, Settled.SKIPPED]
    assert step.finished == [(late, Settled.SKIPPED)]
    assert exchange.receive(b"Z").ready


def test_a_query_that_the_server_skips_does_not_leave_it_synced() -> None:
    exchange = Exchange()
    exchange.sent(Entry(Wait.PARSE))
    exchange.sent(Entry(Wait.QUERY, (task(),)))
    exchange.receive(b"E")
    assert not exchange.idle, "the server still ignores everything up to Sync"
    exchange.sent(Entry(Wait.SYNC))
    exchange.receive(b"Z")
    assert exchange.idle


def test_a_suspended_portal_finishes_its_execute_and_nothing_else() -> None:
    exchange, part = Exchange(), task(Phase.EXECUTE)
    exchange.sent(Entry(Wait.EXECUTE, (part,)))
    exchange.sent(Entry(Wait.SYNC))
    assert feed(exchange, "DDs") == [(part, Settled.SUSPENDED)]


def test_copy_in_swallows_the_sync_that_was_sent_behind_it() -> None:
    exchange, copy = Exchange(), task(Phase.EXECUTE)
    exchange.sent(Entry(Wait.EXECUTE, (copy,)))
    exchange.sent(Entry(Wait.SYNC))
    exchange.receive(b"G")
    assert exchange.copying_in
    exchange.end_copy()
    assert exchange.held
    assert feed(exchange, "C") == [(copy, Settled.DONE)]
    assert not exchange.held
    exchange.sent(Entry(Wait.SYNC))
    assert exchange.receive(b"Z").ready
    assert exchange.idle


def test_an_empty_query_is_answered_without_a_statement() -> None:
    exchange = Exchange()
    exchange.sent(Entry(Wait.QUERY))
    assert feed(exchange, "IZ") == []
    assert exchange.idle


def test_a_deferred_error_at_sync_leaves_the_sync_owed() -> None:
    exchange = Exchange()
    exchange.sent(Entry(Wait.SYNC))
    exchange.receive(b"E")
    assert exchange.receive(b"Z").ready


@pytest.mark.parametrize("kind", [b"D", b"1", b"Z", b"C", b"V", b"G"])
def test_an_answer_to_nothing_is_refused(kind: bytes) -> None:
    with pytest.raises(ProtocolError):
        Exchange().receive(kind)


@pytest.mark.parametrize(
    ("wait", "kind"), [(Wait.PARSE, b"2"), (Wait.BIND, b"D"), (Wait.SYNC, b"C"), (Wait.QUERY, b"1")]
)
def test_an_answer_of_another_kind_than_owed_is_refused(wait: Wait, kind: bytes) -> None:
    exchange = Exchange()
    exchange.sent(Entry(wait))
    with pytest.raises(ProtocolError):
        exchange.receive(kind)


def test_asynchronous_messages_settle_nothing() -> None:
    exchange, one = Exchange(), task()
    exchange.sent(Entry(Wait.QUERY, (one,)))
    for kind in (b"N", b"S", b"A"):
        step = exchange.receive(kind)
        assert step.task is one
        assert not step.finished
        assert not step.settled


def test_what_is_owed_when_the_connection_goes_is_handed_back_once() -> None:
    exchange = Exchange()
    entry = exchange.sent(Entry(Wait.QUERY, (task(),)))
    assert exchange.abandon() == [entry]
    assert exchange.abandon() == []


def test_messages_the_server_would_skip_are_known_until_a_sync_is_sent() -> None:
    exchange = Exchange()
    exchange.sent(Entry(Wait.PARSE))
    exchange.receive(b"E")
    assert exchange.skipping
    exchange.sent(Entry(Wait.SYNC))
    assert not exchange.skipping
    exchange.receive(b"Z")
    assert exchange.idle


def in_copy(wait: Wait = Wait.EXECUTE, syncs: int = 1) -> Exchange:
    exchange = Exchange()
    exchange.sent(Entry(wait, (task(Phase.EXECUTE),)))
    exchange.receive(b"G")
    for _ in range(syncs):
        exchange.sync_in_copy()
    return exchange


def probe(exchange: Exchange, *, extended: bool = True) -> None:
    assert exchange.receive(b"E").probe
    assert exchange.held
    exchange.sent(Entry(Wait.PROBE, hidden=True, extended=extended))


@pytest.mark.parametrize("heeded", [0, 1, 2])
def test_a_probe_tells_how_many_syncs_were_heeded_behind_a_copy_that_failed(heeded: int) -> None:
    exchange = in_copy(syncs=2)
    probe(exchange)
    answers = [exchange.receive(kind) for kind in [b"Z"] * (heeded + 1) + [b"3", b"Z"]]
    assert [step.hidden for step in answers] == [True, *[False] * heeded, True, True]
    assert not exchange.held
    assert exchange.skipping == (heeded == 0)
    assert exchange.synced == (heeded > 0)


def test_after_a_simple_copy_nothing_is_skipped() -> None:
    exchange = in_copy(Wait.QUERY)
    probe(exchange, extended=False)
    for kind in (b"Z", b"Z", b"3", b"Z"):
        exchange.receive(kind)
    assert exchange.idle
    assert not exchange.skipping


def test_without_a_sync_nothing_has_to_be_asked() -> None:
    exchange = in_copy(syncs=0)
    exchange.end_copy()
    assert not exchange.held
    assert not exchange.receive(b"E").probe
    assert exchange.skipping


def test_behind_syncs_the_end_of_a_copy_is_waited_for() -> None:
    exchange = in_copy()
    exchange.end_copy()
    assert exchange.held
    exchange.receive(b"C")
    assert not exchange.held


@pytest.mark.parametrize("kinds", ["3", "Z33", "ZC", "ZT", "D"])
def test_what_does_not_answer_a_probe_is_refused(kinds: str) -> None:
    exchange = in_copy()
    probe(exchange)
    with pytest.raises(ProtocolError):
        feed(exchange, kinds)


def test_a_statement_sent_behind_a_copy_that_begins_is_refused() -> None:
    exchange = Exchange()
    exchange.sent(Entry(Wait.QUERY, (task(),)))
    exchange.sent(Entry(Wait.QUERY, (task(),)))
    with pytest.raises(ProtocolError):
        exchange.receive(b"G")


def test_ready_before_every_statement_was_answered_is_refused() -> None:
    exchange = Exchange()
    exchange.sent(Entry(Wait.QUERY, (task(),)))
    with pytest.raises(ProtocolError):
        exchange.receive(b"Z")


def test_ready_is_on_its_way_when_the_last_message_brings_it() -> None:
    exchange = Exchange()
    assert not exchange.will_be_ready
    exchange.sent(Entry(Wait.SYNC))
    assert exchange.will_be_ready
    exchange.sent(Entry(Wait.PARSE))
    assert not exchange.will_be_ready
