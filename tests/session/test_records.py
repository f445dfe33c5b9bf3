"""What is written about a session: facts, never values."""

import msgspec
import pytest

from gateway.core.events import EventType
from gateway.core.principal import Delegator, Principal
from gateway.core.statement import Statement
from gateway.core.verdict import Outcome
from gateway.session import records
from gateway.session.ruling import Ruling, rule
from gateway.session.task import Phase, Settled, Task
from gateway.session.traveller import Traveller
from tests.session import fakes


def traveller() -> Traveller:
    return Traveller(
        sid="s-1",
        principal=Principal(
            subject="refund-agent", issuer="https://idp.test", groups=("agents",), expires_at=2_000_000_000,
            on_behalf_of=Delegator(id="maria"),
        ),
        connection="payments", engine="postgres", version="15.0", database="payments", labels={},
        channel="postgres", client_ip="127.0.0.1", tls=True, started_ns=1,
    )  # fmt: skip


def test_a_decision_names_who_what_and_the_bundle() -> None:
    event = records.decided(fakes.ruling(), Phase.QUERY, traveller())
    assert event.who is not None
    assert (event.who.id, event.who.on_behalf_of) == ("refund-agent", "maria")
    assert (event.act, event.outcome, event.ok) == ("select", "allow", True)
    assert event.bundle == "sha256:" + "b" * 64
    assert event.catalog == "sha256:" + "c" * 64
    assert event.bodies == {"in": b'{"in":1}', "out": b'{"out":1}'}


@pytest.mark.parametrize(
    ("facts", "phase", "durable"),
    [
        (fakes.statement(), Phase.QUERY, False),
        (fakes.statement(labels=("pan",)), Phase.QUERY, True),
        (fakes.statement(labels=("pan",)), Phase.EXECUTE, True),
        (fakes.statement(labels=("pan",)), Phase.PARSE, False),
        (fakes.statement("update", "write"), Phase.QUERY, True),
        (fakes.statement("create", "ddl"), Phase.QUERY, True),
        (fakes.statement("begin", "transaction"), Phase.QUERY, False),
    ],
)
def test_what_touches_labels_writes_or_defines_waits_for_the_disk(
    facts: Statement,
    phase: Phase,
    durable: bool,  # noqa: FBT001 -- a table of cases
) -> None:
    ruling = Ruling("d", fakes.with_facts(facts), fakes.verdict(), fakes.GROUND)
    assert records.decided(ruling, phase, traveller()).durable is durable


def test_a_refused_statement_does_not_wait_for_the_disk() -> None:
    event = records.decided(fakes.ruling(Outcome.DENY), Phase.QUERY, traveller())
    assert not event.durable
    assert event.data["refused"] == {"code": "policy.denied", "message": "because"}


def test_a_finished_statement_says_what_the_agent_received() -> None:
    task = Task(fakes.ruling(), Phase.QUERY, 1_000, rows=3, bytes=90, blanked=2, tag="SELECT 3")
    event = records.finished(task, Settled.DONE, traveller(), 6_000)
    assert event.type is EventType.STATEMENT_FINISHED
    assert event.data == {
        "phase": "query", "outcome": "done", "rows": 3, "bytes": 90, "us": 5, "tag": "SELECT 3", "blanked": 2,
    }  # fmt: skip


def test_a_closed_session_counts_what_it_did() -> None:
    event = records.closed(traveller(), "client.terminated", {"statements": 4, "denied": 1})
    assert event.data == {"reason": "client.terminated", "statements": 4, "denied": 1}


def test_no_record_holds_the_text_of_a_statement() -> None:
    ruling = rule(fakes.leg("SELECT '4111111111111111'"), fakes.verdict(), fakes.GROUND)
    event = records.decided(ruling, Phase.QUERY, traveller())
    assert b"4111" not in msgspec.json.encode(event)
