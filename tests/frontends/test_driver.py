"""What a journey asks for is done: policy is asked with the session's facts, the log waited for, in that order."""

import pytest

from gateway.core.errors import Unavailable
from gateway.core.events import Event
from gateway.core.verdict import Verdict
from gateway.frontends.driver import Driver
from gateway.policy.document import Request
from gateway.session.journey import travel
from gateway.session.task import Phase
from tests.identity.world import NOW, SECOND, StillClock
from tests.session import fakes
from tests.session.test_records import traveller


class Diary:
    """Policy and log in one, that remembers the order of things."""

    def __init__(self, *, full: bool = False) -> None:
        self.full = full
        self.said: list[str] = []
        self.requests: list[Request] = []
        self.events: list[Event] = []

    async def decide(self, request: Request) -> Verdict:
        self.said.append("decide")
        self.requests.append(request)
        return fakes.verdict()

    async def append(self, event: Event) -> object:
        self.said.append("append")
        if self.full:
            raise Unavailable("evidence.unavailable")
        self.events.append(event)
        return None

    def mac(self, exact: bytes) -> str:
        self.said.append(f"mac {exact.decode()}")
        return "hmac:11"


async def test_policy_is_asked_before_the_log_and_the_mac_is_in_the_record() -> None:
    diary = Diary()
    driver = Driver(diary, diary, StillClock())
    person = traveller()
    person.said["ticket"] = "T-1"
    rulings = await driver.perform(travel((fakes.leg(),), Phase.QUERY, person, fakes.GROUND), person)
    assert diary.said == ["decide", "mac SELECT 1", "append"]
    assert diary.events[0].mac == "hmac:11"
    assert rulings[0].plan is not None
    (request,) = diary.requests
    assert (request.context.time_ns, request.context.ticket, request.context.session_id) == (NOW * SECOND, "T-1", "s-1")
    assert (request.resource.connection, request.resource.database) == ("payments", "payments")


async def test_a_log_that_cannot_take_the_decision_gives_no_ruling() -> None:
    diary = Diary(full=True)
    with pytest.raises(Unavailable):
        await Driver(diary, diary, StillClock()).perform(
            travel((fakes.leg(),), Phase.QUERY, traveller(), fakes.GROUND), traveller()
        )
