"""A webhook can verify who sent a batch and when, and say which events it did not take."""

import hashlib
import hmac

import msgspec
import pytest

from gateway.core.errors import Unavailable
from gateway.evidence.sinks.answers import Answer, Later, Refused, Taken
from gateway.evidence.sinks.posting import Credential, Place, Post
from gateway.evidence.sinks.to_webhook import Webhook, sign
from tests.evidence.sinks.leaves import events, every_leaf
from tests.evidence.sinks.servers import Said, http
from tests.evidence.world import NOW, TickClock

pytestmark = pytest.mark.enable_socket
SENT = events("ocsf", every_leaf())[:4]


async def answered(said: Said, *, probe: bool = False) -> Answer:
    async with http(lambda _: said) as server:
        webhook = Webhook(Post(Place(server.url, 5)), "siem", Credential(lambda: "word", TickClock()), TickClock())
        try:
            return await webhook.probe() if probe else await webhook.send(SENT)
        finally:
            await webhook.close()


async def test_the_signature_is_over_time_and_body() -> None:
    async with http(lambda _: Said()) as server:
        webhook = Webhook(
            Post(Place(f"{server.url}/hook?a=1", 5)), "siem", Credential(lambda: "word", TickClock()), TickClock()
        )
        assert await webhook.send(SENT) == Taken()
        await webhook.close()
    (came,) = server.came
    timestamp, signature = came.headers["x-querywarden-timestamp"], came.headers["x-querywarden-signature"]
    wanted = hmac.new(b"word", timestamp.encode() + b"." + came.body, hashlib.sha256).hexdigest()
    assert signature == f"v1={wanted}" == sign("word", timestamp, came.body)
    assert int(timestamp) == NOW // 10**9
    assert came.path == "/hook?a=1"
    document = msgspec.json.decode(came.body)
    assert [event["id"] for event in document["events"]] == [event.id for event in SENT]
    assert msgspec.json.encode(document["events"][0]["event"]) == SENT[0].payload


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (Said(), Taken()),
        (Said(204, b""), Taken()),
        (Said(200, b"thank you"), Taken()),
        (Said(200, msgspec.json.encode({"refused": [SENT[2].id, SENT[0].id]})), Taken((0, 2), "webhook.refused")),
        (Said(200, msgspec.json.encode({"refused": [event.id for event in SENT]})), Refused("webhook.refused")),
        (Said(200, b'{"refused":["another"]}'), Later("webhook.refused_unknown")),
        (Said(200, b'{"errors":[{"x":1}]}'), Later("webhook.errors")),
        (Said(200, b'{"error":"no"}'), Later("webhook.errors")),
        (Said(200, b'{"refused":["log.te'), Later("webhook.not_understood")),
        (Said(200, b'{"refused":"all"}'), Later("webhook.not_understood")),
        (Said(200, b'{"errors":[],"error":null}'), Taken()),
        (Said(400), Refused("http.400")),
        (Said(401), Later("http.401")),
        (Said(503, b"", "Retry-After: 9\r\n"), Later("http.503", 9.0)),
    ],
)
async def test_an_answer_is_taken_for_what_it_says_whatever_its_status(said: Said, answer: Answer) -> None:
    assert await answered(said) == answer


async def test_a_probe_sends_nobodys_events() -> None:
    assert await answered(Said(), probe=True) == Taken()
    assert await answered(Said(400), probe=True) == Later("http.400")


async def test_a_secret_that_cannot_be_read_is_for_later() -> None:
    def gone() -> str:
        raise Unavailable("config.secret", "gone")

    webhook = Webhook(Post(Place("http://127.0.0.1:1", 1)), "siem", Credential(gone, TickClock()), TickClock())
    assert await webhook.send(SENT) == Later("config.secret")
