"""What SQL does to its session's names and to what the agent says of itself, once it is done."""

import asyncio

import pytest

from gateway.frontends.postgres.mirror import changes, follow
from gateway.session.registry import Portal, Prepared, Space
from gateway.session.ruling import Ruling
from gateway.session.task import Phase, Task
from gateway.sql import model
from tests.frontends.scripted import ServerModel, make_stage
from tests.session import fakes


def ruling(effect: model.Effect) -> Ruling:
    facts = fakes.with_facts(fakes.statement(), effect)
    return Ruling("d", facts, fakes.verdict(), fakes.GROUND)


@pytest.mark.parametrize(
    ("effect", "expected"),
    [
        (model.Prepare("a"), [(Space.STATEMENT, "a", Prepared)]),
        (model.Deallocate("a"), [(Space.STATEMENT, "a", None)]),
        (model.Deallocate(None), [(Space.STATEMENT, None, None)]),
        (model.Declare("c"), [(Space.PORTAL, "c", Portal)]),
        (model.CloseCursor("c"), [(Space.PORTAL, "c", None)]),
        (model.Discard(), [(Space.STATEMENT, None, None), (Space.PORTAL, None, None)]),
        (model.Begin(), []),
        (model.Execute("a"), []),
        (None, []),
    ],
)
def test_names_given_and_taken(effect: model.Effect, expected: list[tuple[Space, str | None, type | None]]) -> None:
    found = [(c.space, c.name, type(c.value) if c.value else None) for c in changes(ruling(effect))]
    assert found == expected


@pytest.mark.parametrize(
    ("phase", "done", "said"), [(Phase.QUERY, True, "x"), (Phase.QUERY, False, None), (Phase.PARSE, True, None)]
)
def test_what_the_agent_says_holds_once_it_has_run(phase: Phase, done: bool, said: str | None) -> None:  # noqa: FBT001 -- a case
    async def run() -> str | None:
        conversation = make_stage(ServerModel()).conversation
        follow(conversation, Task(ruling(model.Say("purpose", "x")), phase, 0), done=done)
        return conversation.traveller.said.get("purpose")

    assert asyncio.run(run()) == said
