"""What is open at a point of the log: sessions, their numbers, decisions without an outcome."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.events import EventType
from gateway.evidence import ledger as module
from gateway.evidence.ledger import Ledger, Mark, OpenState, mark_of

KINDS = st.sampled_from(
    [EventType.SESSION_OPENED, EventType.SESSION_CLOSED, EventType.AUTH_FAILED, EventType.STATEMENT_DECIDED,
     EventType.STATEMENT_FINISHED, EventType.HEARTBEAT, EventType.LOG_CLOSED]
)  # fmt: skip
moves = st.lists(st.tuples(KINDS, st.sampled_from(["", "a", "b"]), st.sampled_from(["d1", "d2"]), st.booleans()))


def follow(ledger: Ledger, kind: EventType, sid: str = "", did: str = "", *, ok: bool = True) -> int:
    seq = ledger.next_number(sid)
    ledger.follow(Mark(kind.value, seq, ok, sid, did, "payments", "select"))
    return seq


@given(moves)
def test_every_session_counts_from_one_without_a_gap(steps: list[tuple[EventType, str, str, bool]]) -> None:
    ledger, seen = Ledger(), {"": 0, "a": 0, "b": 0}
    for kind, sid, did, ok in steps:
        assert follow(ledger, kind, sid, did, ok=ok) == seen[sid] + 1
        seen[sid] += 1


@given(moves, st.integers(0, 20))
def test_a_ledger_that_is_written_down_goes_on_the_same(steps: list[tuple[EventType, str, str, bool]], at: int) -> None:
    """Apart from the numbers of stragglers of sessions that ended: those are not worth keeping."""
    whole, taken = Ledger(), Ledger()
    for number, (kind, sid, did, ok) in enumerate(steps):
        if number == at:
            taken = Ledger(msgspec.json.decode(msgspec.json.encode(whole.state()), type=OpenState))
            taken._ended = whole._ended.copy()  # noqa: SLF001 -- see above
        follow(whole, kind, sid, did, ok=ok)
        follow(taken, kind, sid, did, ok=ok)
    if at < len(steps):
        assert taken.state() == whole.state()


def test_a_decision_is_open_from_when_it_is_let_through_until_its_outcome() -> None:
    ledger = Ledger()
    follow(ledger, EventType.SESSION_OPENED, "a")
    follow(ledger, EventType.STATEMENT_DECIDED, "a", "d1")
    follow(ledger, EventType.STATEMENT_DECIDED, "a", "d2", ok=False)
    assert [entry.did for entry in ledger.undecided("a")] == ["d1"]
    follow(ledger, EventType.STATEMENT_FINISHED, "a", "d1")
    assert ledger.undecided("a") == []


def test_only_the_closing_leaf_makes_it_clean() -> None:
    ledger = Ledger()
    assert ledger.clean
    follow(ledger, EventType.LOG_OPENED)
    assert not ledger.clean
    follow(ledger, EventType.LOG_CLOSED)
    assert ledger.clean


def test_a_new_run_numbers_its_own_leaves_from_one() -> None:
    ledger = Ledger()
    follow(ledger, EventType.LOG_OPENED)
    assert ledger.next_number("") == 2
    ledger.restart()
    assert ledger.next_number("") == 1


def test_the_digest_names_the_open_sessions_and_their_numbers_in_any_order() -> None:
    one, two = Ledger(), Ledger()
    for sid in ("a", "b"):
        follow(one, EventType.SESSION_OPENED, sid)
    for sid in ("b", "a"):
        follow(two, EventType.SESSION_OPENED, sid)
    assert one.open_digest() == two.open_digest()
    follow(two, EventType.MESSAGE_REFUSED, "a")
    assert one.open_digest() != two.open_digest()


def test_what_is_remembered_of_ended_sessions_has_a_bound() -> None:
    ledger = Ledger()
    for number in range(module.MAX_ENDED + 10):
        follow(ledger, EventType.AUTH_FAILED, f"s{number}")
    assert len(ledger._ended) == module.MAX_ENDED  # noqa: SLF001 -- the bound is the point
    assert ledger.sessions == {}


def test_only_what_matters_is_read_of_a_leaf() -> None:
    mark = mark_of(b'{"did":"d","ok":true,"other":[1],"seq":3,"sid":"s","type":"heartbeat","v":1}')
    assert mark == Mark("heartbeat", 3, True, "s", "d")  # noqa: FBT003 -- a record
