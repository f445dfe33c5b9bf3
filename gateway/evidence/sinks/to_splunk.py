"""Splunk's HTTP Event Collector, with indexer acknowledgement: a batch is taken when the indexers say they have it.

POST /services/collector/event answers `{"code": 0, "ackId": N}`: valid, and no more. POST /services/collector/ack with
`{"acks": [N]}` says of each whether it is indexed. An answer without code 0 is no success, whatever its status; codes
5, 6, 12, 13 and 15 with `invalid-event-number` name an event at fault.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

import msgspec

from gateway.core.clock import Clock
from gateway.core.errors import Unavailable
from gateway.core.ids import new_id
from gateway.evidence.sinks.answers import Answer, Later, Refused, Taken
from gateway.evidence.sinks.outgoing import Outgoing
from gateway.evidence.sinks.posting import Credential, Post, Reply

_ENCODER: Final = msgspec.json.Encoder()
_EVENT: Final = "/services/collector/event"
_ACK: Final = "/services/collector/ack"
_CHUNK: Final = 512 << 10
"""bytes of a request: Splunk's older limit is 800,000; a batch may be many requests, acknowledged together"""
_DATA_AT_FAULT: Final = frozenset({5, 6, 12, 13, 15})
_ACK_SECONDS: Final = 1.0
_NS: Final = 1_000_000_000


class _Answer(msgspec.Struct):
    code: int
    ack: int | None = msgspec.field(default=None, name="ackId")
    invalid: int | None = msgspec.field(default=None, name="invalid-event-number")


class _Acks(msgspec.Struct):
    acks: dict[str, bool]


class Splunk:
    """One collector's token. Without `acknowledge` a batch counts as taken when it was found valid."""

    def __init__(  # noqa: PLR0913 -- what a collector is reached by
        self,
        post: Post,
        token: Credential,
        clock: Clock,
        *,
        acknowledge: bool,
        ack_timeout: float,
        index: str = "",
        sourcetype: str,
    ) -> None:
        self._post, self._token, self._clock = post, token, clock
        self._acknowledge, self._ack_timeout = acknowledge, ack_timeout
        self._index, self._sourcetype = index, sourcetype
        self._channel = new_id(clock)

    async def send(self, events: Sequence[Outgoing]) -> Answer:
        """Post in requests of bounded size, then wait until all are acknowledged."""
        waiting: list[int] = []
        for first, chunk in self._chunks(events):
            reply = await self._send(_EVENT, b"\n".join(chunk))
            if isinstance(reply, Later):
                return reply
            answer = _judged(reply, first)
            if not isinstance(answer, _Answer):
                return answer
            if self._acknowledge:
                if answer.ack is None:
                    return Later("splunk.no_ack_id")  # acknowledgement is not enabled for this token
                waiting.append(answer.ack)
        return await self._acknowledged(waiting)

    async def probe(self) -> Answer:
        """Ask for an acknowledgement that does not exist: takes a good token, changes nothing."""
        if not self._acknowledge:
            reply = await self._send(_EVENT, b"")
            return _well(reply, without=frozenset({5}))  # "no data": the token was good
        return _well(await self._send(_ACK, b'{"acks":[0]}'))

    async def close(self) -> None:
        """Close the connection."""
        await self._post.close()

    def _chunks(self, events: Sequence[Outgoing]) -> list[tuple[int, list[bytes]]]:
        """(place of the first event, events) of each request."""
        chunks: list[tuple[int, list[bytes]]] = []
        room = 0
        for place, event in enumerate(events):
            data = self._event(event)
            if len(data) + 1 > room:
                chunks.append((place, []))
                room = _CHUNK
            chunks[-1][1].append(data)
            room -= len(data) + 1
        return chunks

    def _event(self, event: Outgoing) -> bytes:
        said: dict[str, object] = {
            "time": f"{event.time_ns // _NS}.{event.time_ns % _NS // 1_000_000:03d}",
            "source": event.id.partition("#")[0],
            "sourcetype": self._sourcetype,
            "event": event.as_json(),
            "fields": {"querywarden_id": event.id, "querywarden_type": event.leaf.type},
        }
        return _ENCODER.encode({**said, "index": self._index} if self._index else said)

    async def _send(self, path: str, body: bytes) -> Reply | Later:
        try:
            token = await self._token.value()
        except Unavailable as error:
            return Later(error.code)
        headers = {
            "Authorization": f"Splunk {token}",
            "Content-Type": "application/json",
            "X-Splunk-Request-Channel": self._channel,
        }
        reply = await self._post.send(path, body, headers)
        self._token.heed(reply)
        return reply

    async def _acknowledged(self, waiting: Sequence[int]) -> Answer:
        """Poll until every acknowledgement came, or for too long: then the batch goes again."""
        left = set(waiting)
        deadline = self._clock.monotonic_ns() + int(self._ack_timeout * _NS)
        while left:
            reply = await self._send(_ACK, _ENCODER.encode({"acks": sorted(left)}))
            if isinstance(reply, Later):
                return reply
            if not reply.ok:
                return Later(f"http.{reply.status}", reply.after)
            try:
                acks = msgspec.json.decode(reply.body, type=_Acks).acks
            except (msgspec.DecodeError, UnicodeDecodeError):
                return Later("splunk.not_understood")
            left -= {ack for ack in left if acks.get(str(ack)) is True}
            if left:
                if self._clock.monotonic_ns() > deadline:
                    return Later("splunk.not_acknowledged")
                await asyncio.sleep(_ACK_SECONDS)
        return Taken()


def _judged(reply: Reply, first: int) -> _Answer | Later | Refused:
    """The answer to events; or what is wrong with them or with the collector. `first`: place of the first of them."""
    try:
        answer = msgspec.json.decode(reply.body, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Later("splunk.not_understood") if reply.ok else reply.failure()
    if answer.code in _DATA_AT_FAULT:
        return Refused(f"splunk.{answer.code}", None if answer.invalid is None else first + answer.invalid)
    if answer.code or not reply.ok:
        return Later(f"splunk.{answer.code}.http.{reply.status}", reply.after)
    return answer


def _well(reply: Reply | Later, without: frozenset[int] = frozenset()) -> Answer:
    if isinstance(reply, Later):
        return reply
    if reply.ok:
        return Taken()
    answer = _judged(reply, 0)
    if isinstance(answer, Refused) and answer.reason in {f"splunk.{code}" for code in without}:
        return Taken()
    return Later(answer.reason) if isinstance(answer, Later | Refused) else Taken()
