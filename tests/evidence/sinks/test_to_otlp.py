"""A collector gets protobuf that its own schema reads, and a partial success is not taken for a whole one."""

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)

from gateway.evidence.sinks.answers import Answer, Later, Refused, Taken
from gateway.evidence.sinks.posting import Credential, Place, Post
from gateway.evidence.sinks.to_otlp import Otlp
from tests.evidence.sinks.leaves import events, every_leaf
from tests.evidence.sinks.servers import Came, Rule, Said, http
from tests.evidence.world import TickClock

pytestmark = pytest.mark.enable_socket
SENT = events("ocsf", every_leaf())
FINE = ExportLogsServiceResponse().SerializeToString()
PARTIAL = ExportLogsServiceResponse(
    partial_success=ExportLogsPartialSuccess(rejected_log_records=2, error_message="no")
).SerializeToString()

ALL_REJECTED = ExportLogsServiceResponse(
    partial_success=ExportLogsPartialSuccess(rejected_log_records=len(SENT))
).SerializeToString()


async def answered(rule: Rule, *, probe: bool = False) -> Answer:
    async with http(rule) as server:
        otlp = Otlp(Post(Place(f"{server.url}/v1/logs", 5)), Credential(lambda: "token", TickClock()), TickClock())
        try:
            return await otlp.probe() if probe else await otlp.send(SENT)
        finally:
            await otlp.close()


async def test_every_event_is_a_record_with_its_id_time_and_payload() -> None:
    came: list[Came] = []

    def rule(each: Came) -> Said:
        came.append(each)
        return Said(body=FINE)

    assert await answered(rule) == Taken()
    assert (came[0].path, came[0].headers["content-type"]) == ("/v1/logs", "application/x-protobuf")
    assert came[0].headers["authorization"] == "Bearer token"
    request = ExportLogsServiceRequest.FromString(came[0].body)
    (resource,) = request.resource_logs
    (scope,) = resource.scope_logs
    assert [record.body.string_value.encode() for record in scope.log_records] == [event.payload for event in SENT]
    assert [record.time_unix_nano for record in scope.log_records] == [event.time_ns for event in SENT]
    ids = [pair.value.string_value for r in scope.log_records for pair in r.attributes if pair.key == "log.record.uid"]
    assert ids == [event.id for event in SENT]


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (Said(body=b""), Taken()),
        (Said(body=PARTIAL), Taken(tuple(range(len(SENT))), "otlp.partial.2")),
        (Said(body=ALL_REJECTED), Refused("otlp.rejected")),
        (Said(body=b"\xff\xff"), Later("otlp.not_understood")),
        (Said(429, b"", "Retry-After: 3\r\n"), Later("http.429", 3.0)),
        (Said(400, b""), Refused("http.400")),
        (Said(401, b""), Later("http.401")),
    ],
)
async def test_an_answer_is_taken_for_what_the_protocol_says(said: Said, answer: Answer) -> None:
    assert await answered(lambda _: said) == answer


async def test_a_probe_has_no_records() -> None:
    came: list[Came] = []

    def rule(each: Came) -> Said:
        came.append(each)
        return Said(body=FINE)

    assert await answered(rule, probe=True) == Taken()
    assert came[0].body == b""
    assert await answered(lambda _: Said(404), probe=True) == Later("http.404")
