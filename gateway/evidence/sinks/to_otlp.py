"""OpenTelemetry logs over HTTP, in protobuf (OTLP 1.x), each request answered before the next is made.

No batch processor stands between: it drops what does not fit its queue. A partial success names a number and no event,
and must not be sent again (OTLP specification, "Partial Success"): the batch is passed by and the whole of it parked as
`otlp.partial`, so that whoever looks knows among which events to search.
"""

from collections.abc import Sequence
from typing import Final

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs, SeverityNumber
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from gateway.core.clock import Clock
from gateway.core.errors import Unavailable
from gateway.evidence.sinks.answers import Answer, Later, Refused, Taken
from gateway.evidence.sinks.facts import PRODUCT, VERSION
from gateway.evidence.sinks.outgoing import Outgoing, grave
from gateway.evidence.sinks.posting import Credential, Post, Reply

_SEVERITY: Final = {
    1: SeverityNumber.SEVERITY_NUMBER_INFO,
    2: SeverityNumber.SEVERITY_NUMBER_WARN,
    3: SeverityNumber.SEVERITY_NUMBER_WARN2,
    4: SeverityNumber.SEVERITY_NUMBER_ERROR,
}
_TEXT: Final = {1: "INFO", 2: "WARN", 3: "WARN2", 4: "ERROR"}


class Otlp:
    """One collector. `token`, when given, is sent as a bearer's."""

    def __init__(self, post: Post, token: Credential | None, clock: Clock) -> None:
        self._post, self._token, self._clock = post, token, clock

    async def send(self, events: Sequence[Outgoing]) -> Answer:
        """One request for the batch."""
        reply = await self._send(self._request(events))
        if isinstance(reply, Later):
            return reply
        if not reply.ok:
            return reply.failure()
        try:
            said = ExportLogsServiceResponse.FromString(reply.body)
        except DecodeError:
            return Later("otlp.not_understood")
        rejected = said.partial_success.rejected_log_records
        if rejected >= len(events):  # it has taken nothing, so nothing shows that the events are at fault
            return Refused(reason="otlp.rejected")
        return Taken(tuple(range(len(events))), f"otlp.partial.{rejected}") if rejected else Taken()

    async def probe(self) -> Answer:
        """A request without records, which every collector takes."""
        reply = await self._send(ExportLogsServiceRequest())
        if isinstance(reply, Later):
            return reply
        return Taken() if reply.ok else Later(f"http.{reply.status}")

    async def close(self) -> None:
        """Close the connection."""
        await self._post.close()

    async def _send(self, request: ExportLogsServiceRequest) -> Reply | Later:
        headers = {"Content-Type": "application/x-protobuf"}
        if self._token is not None:
            try:
                headers["Authorization"] = f"Bearer {await self._token.value()}"
            except Unavailable as error:
                return Later(error.code)
        reply = await self._post.send("", request.SerializeToString(), headers)
        if self._token is not None:
            self._token.heed(reply)
        return reply

    def _request(self, events: Sequence[Outgoing]) -> ExportLogsServiceRequest:
        now = self._clock.now_ns()
        resource = Resource(attributes=[_pair("service.name", PRODUCT), _pair("service.version", VERSION)])
        scope = InstrumentationScope(name=f"{PRODUCT}.evidence", version=VERSION)
        records = ScopeLogs(scope=scope, log_records=[_record(event, now) for event in events])
        return ExportLogsServiceRequest(resource_logs=[ResourceLogs(resource=resource, scope_logs=[records])])


def _record(event: Outgoing, now_ns: int) -> LogRecord:
    leaf, severity = event.leaf, grave(event.leaf)
    facts = {
        "log.record.uid": event.id, "querywarden.session": leaf.sid, "querywarden.decision": leaf.did,
        "db.namespace": leaf.res, "db.operation.name": leaf.act, "querywarden.outcome": leaf.outcome,
        "user.name": leaf.who.id if leaf.who else "",
    }  # fmt: skip
    return LogRecord(
        time_unix_nano=event.time_ns,
        observed_time_unix_nano=now_ns,
        severity_number=_SEVERITY[severity],
        severity_text=_TEXT[severity],
        event_name=f"{PRODUCT}.{leaf.type}",
        body=AnyValue(string_value=event.payload.decode()),
        attributes=[_pair(name, text) for name, text in facts.items() if text],
    )


def _pair(name: str, text: str) -> KeyValue:
    return KeyValue(key=name, value=AnyValue(string_value=text))
