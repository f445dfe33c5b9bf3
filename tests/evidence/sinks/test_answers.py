"""Every receiver is one by the same protocol, and says nothing of its own kind."""

from pathlib import Path

import pytest

from gateway.config import sinks as k
from gateway.config.forwarding import receiver_of
from gateway.evidence.sinks.answers import Later, Receiver, Refused, Taken
from tests.evidence.world import TickClock


@pytest.mark.parametrize("answer", [Taken(), Later("x"), Refused("x")])
def test_an_answer_is_a_value(answer: Taken | Later | Refused) -> None:
    assert answer == type(answer)(*answer)


async def test_every_kind_of_sink_has_a_receiver() -> None:
    receiver: Receiver = receiver_of(k.FileSink(name="a", path=Path("x")), TickClock(), Path("var"))
    await receiver.close()
