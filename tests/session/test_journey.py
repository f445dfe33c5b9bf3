"""The order of things: judge, then record, and only then is anything handed on."""

from dataclasses import replace

import pytest

from gateway.core.events import EventType
from gateway.core.verdict import Outcome, Verdict
from gateway.session.ground import Ground
from gateway.session.journey import Command, Decide, Journey, Record, travel
from gateway.session.ruling import Leg, Ruling
from gateway.session.task import Phase
from tests.session import fakes
from tests.session.test_records import traveller


def play(journey: Journey, *verdicts: Verdict) -> tuple[list[Command], tuple[Ruling, ...]]:
    """Answer each Decide in turn, and write down every command."""
    answers = list(verdicts)
    commands: list[Command] = []
    answer: Verdict | None = None
    while True:
        try:
            command = journey.send(answer)
        except StopIteration as end:
            return commands, end.value
        commands.append(command)
        answer = answers.pop(0) if isinstance(command, Decide) else None


def legs(*texts: str) -> tuple[Leg, ...]:
    return tuple(Leg(fakes.understood(text), f"did-{n}", text.encode()) for n, text in enumerate(texts))


def test_a_statement_is_decided_then_recorded_and_then_handed_on_with_its_plan() -> None:
    commands, rulings = play(travel(legs("SELECT 1"), Phase.QUERY, traveller(), fakes.GROUND), fakes.verdict())
    assert [type(command) for command in commands] == [Decide, Record]
    assert rulings[0].plan is not None
    assert rulings[0].plan.text == "SELECT 1"


@pytest.mark.parametrize("outcome", [Outcome.DENY, Outcome.REQUIRE_APPROVAL])
def test_what_policy_does_not_let_through_is_recorded_and_has_no_plan(outcome: Outcome) -> None:
    commands, rulings = play(travel(legs("SELECT 1"), Phase.QUERY, traveller(), fakes.GROUND), fakes.verdict(outcome))
    record = commands[-1]
    assert isinstance(record, Record)
    assert record.event.type is EventType.STATEMENT_DECIDED
    assert record.event.outcome == "deny"
    assert not record.event.ok
    assert rulings[0].plan is None
    assert rulings[0].refusal is not None


def test_one_refused_statement_holds_back_its_whole_message() -> None:
    journey = travel(legs("SELECT 1", "SELECT 2"), Phase.QUERY, traveller(), fakes.GROUND)
    commands, rulings = play(journey, fakes.verdict(), fakes.verdict(Outcome.DENY))
    assert [type(command) for command in commands] == [Decide, Decide, Record, Record]
    assert [ruling.refusal.code for ruling in rulings if ruling.refusal] == ["statement.withheld", "policy.denied"]
    assert all(ruling.plan is None for ruling in rulings)


def marks(*journeys: Journey) -> list[object]:
    """What the records of allowed statements say of the text that carries them."""
    found = []
    for journey in journeys:
        commands, _ = play(journey, *[fakes.verdict()] * 3)
        found += [command.event.data.get("mark") for command in commands if isinstance(command, Record)]
    return found


def test_a_statement_names_the_mark_it_goes_out_under_when_that_is_anothers() -> None:
    several = travel(legs("SELECT 1", "SELECT 2"), Phase.QUERY, traveller(), fakes.GROUND)
    executed = travel((replace(legs("SELECT 1")[0], mark="parse"),), Phase.EXECUTE, traveller(), fakes.GROUND)
    assert marks(several, executed) == [None, "did-0", "parse"]


def test_all_of_a_message_is_judged_before_any_of_it_is_recorded() -> None:
    journey = travel(legs("SELECT 1", "SELECT 2"), Phase.QUERY, traveller(), fakes.GROUND)
    commands, _ = play(journey, fakes.verdict(), fakes.verdict())
    assert [type(command) for command in commands] == [Decide, Decide, Record, Record]


def test_in_a_transaction_that_changed_the_schema_only_blind_statements_go_on() -> None:
    ground = Ground(fakes.EMPTY, fakes.GROUND.posture, void=True)
    _, read = play(travel(legs("SELECT 1"), Phase.QUERY, traveller(), ground), fakes.verdict())
    _, commit = play(travel(legs("COMMIT"), Phase.QUERY, traveller(), ground), fakes.verdict())
    assert read[0].refusal is not None
    assert read[0].refusal.code == "catalog.void"
    assert commit[0].refusal is None


def test_a_journey_that_gets_no_verdict_does_not_go_on() -> None:
    journey = travel(legs("SELECT 1"), Phase.QUERY, traveller(), fakes.GROUND)
    next(journey)
    with pytest.raises(TypeError):
        next(journey)


def test_no_repr_of_a_command_shows_the_exact_text() -> None:
    text = "SELECT '4111111111111111'"
    commands, _ = play(travel(legs(text), Phase.QUERY, traveller(), fakes.GROUND), fakes.verdict())
    assert "4111" not in repr(commands)
    assert "4111" not in repr(legs(text))


def test_what_stands_behind_a_change_of_schema_in_one_message_is_not_judged_on_the_old_snapshot() -> None:
    journey = travel(legs("ALTER TABLE a ADD b int", "SELECT b FROM a"), Phase.QUERY, traveller(), fakes.GROUND)
    _, rulings = play(journey, fakes.verdict(), fakes.verdict())
    assert [ruling.refusal.code for ruling in rulings if ruling.refusal] == ["statement.withheld", "catalog.void"]
