"""A batch is taken when every indexer has said so, and an event at fault is found by its number."""

import asyncio

import msgspec
import pytest

from gateway.evidence.sinks import to_splunk as module
from gateway.evidence.sinks.answers import Answer, Later, Refused, Taken
from gateway.evidence.sinks.outgoing import Outgoing
from gateway.evidence.sinks.posting import Credential, Place, Post
from gateway.evidence.sinks.to_splunk import Splunk
from tests.evidence.sinks.leaves import decided, events, every_leaf
from tests.evidence.sinks.servers import Came, Rule, Said, http
from tests.evidence.world import TickClock

pytestmark = pytest.mark.enable_socket
SENT = events("ocsf", every_leaf())
POISON = b'"poison"'


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ACK_SECONDS", 0.001)


class Collector:
    """As Splunk documents it: codes, channel, acknowledgement ids that are told once."""

    def __init__(self, *, polls: int = 2) -> None:
        self.indexed: list[str] = []
        self.waiting: dict[int, list[str]] = {}
        self.polls = polls
        self.sizes: list[int] = []

    def __call__(self, came: Came) -> Said:
        if came.headers.get("authorization") != "Splunk token":
            return Said(403, b'{"text":"Invalid token","code":4}')
        if not came.headers.get("x-splunk-request-channel"):
            return Said(400, b'{"text":"Data channel is missing","code":10}')
        return self.acks(came) if came.path.endswith("/ack") else self.events(came)

    def events(self, came: Came) -> Said:
        self.sizes.append(len(came.body))
        lines = came.body.splitlines()
        if not lines:
            return Said(400, b'{"text":"No data","code":5}')
        for number, line in enumerate(lines):
            if POISON in line:
                said = {"text": "Invalid data format", "code": 6, "invalid-event-number": number}
                return Said(400, msgspec.json.encode(said))
        number = len(self.waiting)
        self.waiting[number] = [msgspec.json.decode(line)["fields"]["querywarden_id"] for line in lines]
        return Said(200, msgspec.json.encode({"text": "Success", "code": 0, "ackId": number}))

    def acks(self, came: Came) -> Said:
        wanted = msgspec.json.decode(came.body)["acks"]
        self.polls -= 1
        done = {str(number): self.polls <= 0 and number in self.waiting for number in wanted}
        for number, yes in done.items():
            self.indexed += self.waiting.pop(int(number)) if yes else []
        return Said(200, msgspec.json.encode({"acks": done}))


async def answered(rule: Rule, sent: list[Outgoing] = SENT, *, probe: bool = False, **more: object) -> Answer:
    token = str(more.get("token", "token"))
    async with http(rule) as server:
        credential = Credential(lambda: token, TickClock())
        splunk = Splunk(
            Post(Place(server.url, 5)), credential, TickClock(), acknowledge=more.get("acknowledge") is not False,
            ack_timeout=0.05, sourcetype="querywarden", index=str(more.get("index", "")),
        )  # fmt: skip
        try:
            return await splunk.probe() if probe else await splunk.send(sent)
        finally:
            await splunk.close()


async def test_a_batch_is_taken_when_it_is_indexed() -> None:
    collector = Collector()
    assert await answered(collector) == Taken()
    assert collector.indexed == [event.id for event in SENT]


async def test_a_large_batch_is_many_requests_acknowledged_together() -> None:
    collector, many = Collector(), events("ocsf", [decided()] * 900)
    assert await answered(collector, many) == Taken()
    assert collector.indexed == [event.id for event in many]
    assert len(collector.sizes) > 1
    assert max(collector.sizes) <= 512 << 10


async def test_what_is_never_acknowledged_is_sent_again() -> None:
    assert await answered(Collector(polls=10**9)) == Later("splunk.not_acknowledged")


async def test_an_event_at_fault_is_found_by_its_number() -> None:
    bad = SENT[7]._replace(payload=b'{"poison":1}')
    assert await answered(Collector(), [*SENT[:7], bad, *SENT[8:]]) == Refused("splunk.6", 7)


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (Said(200, b'{"text":"Server is busy","code":9}'), Later("splunk.9.http.200")),
        (Said(503, b'{"text":"Server is busy","code":9}'), Later("splunk.9.http.503")),
        (Said(200, b'{"text":"Success","code":0}'), Later("splunk.no_ack_id")),
        (Said(200, b"<html>"), Later("splunk.not_understood")),
        (Said(502, b"<html>"), Later("http.502")),
        (Said(400, b'{"text":"Incorrect index","code":7,"invalid-event-number":0}'), Later("splunk.7.http.400")),
        (Said(400, b'{"text":"Event field is required","code":12,"invalid-event-number":0}'), Refused("splunk.12", 0)),
        (Said(200, b'{"text":"Invalid data format","code":6}'), Refused("splunk.6")),
    ],
)
async def test_an_answer_without_code_0_is_no_success_whatever_its_status(said: Said, answer: Answer) -> None:
    assert await answered(lambda _: said) == answer


async def test_a_wrong_token_is_not_the_events_fault() -> None:
    assert await answered(Collector(), token="other") == Later("splunk.4.http.403")


async def test_without_acknowledgement_a_valid_batch_is_taken() -> None:
    assert await answered(lambda _: Said(200, b'{"text":"Success","code":0}'), acknowledge=False) == Taken()


async def test_a_probe_tells_a_good_token_from_a_bad_one() -> None:
    for acknowledge in (True, False):
        assert await answered(Collector(), probe=True, acknowledge=acknowledge) == Taken()
        bad = await answered(Collector(), probe=True, acknowledge=acknowledge, token="other")
        assert bad == Later("splunk.4.http.403") or bad == Later("http.403")


async def test_events_say_when_from_where_and_to_which_index() -> None:
    came: list[Came] = []

    def rule(each: Came) -> Said:
        came.append(each)
        return Said(200, b'{"code":0}')

    await answered(rule, SENT[:1], acknowledge=False, index="pci")
    said = msgspec.json.decode(came[0].body)
    assert (said["index"], said["sourcetype"], said["source"]) == ("pci", "querywarden", SENT[0].id.partition("#")[0])
    assert said["time"] == "1900000000.001"
    assert said["event"]["metadata"]["uid"] == SENT[0].id
    await asyncio.sleep(0)
