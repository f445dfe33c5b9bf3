"""An HTTP endpoint of your own: JSON, signed with HMAC-SHA-256 over the time and the body.

    POST  Content-Type: application/json
          X-Querywarden-Timestamp: <seconds since the epoch>
          X-Querywarden-Signature: v1=<hex HMAC-SHA-256(secret, timestamp "." body)>
    {"sink": …, "events": [{"id": …, "event": …}, …]}

Any 2xx takes the batch. A JSON answer `{"refused": [id, …]}` names events that were not taken; an answer with `errors`
or `error` that is not empty and names none is no success, whatever its status.
"""

import hmac
from collections.abc import Sequence
from typing import Final

import msgspec

from gateway.core.clock import Clock
from gateway.core.errors import Unavailable
from gateway.evidence.sinks.answers import Answer, Later, Refused, Taken
from gateway.evidence.sinks.outgoing import Outgoing
from gateway.evidence.sinks.posting import Credential, Post, Reply

_ENCODER: Final = msgspec.json.Encoder()


class _Answer(msgspec.Struct):
    refused: list[str] = []
    errors: object = None
    error: object = None


class Webhook:
    """Posts batches to one address."""

    def __init__(self, post: Post, name: str, secret: Credential | None, clock: Clock) -> None:
        self._post, self._name, self._secret, self._clock = post, name, secret, clock

    async def send(self, events: Sequence[Outgoing]) -> Answer:
        """One request for the batch."""
        parts = [{"id": event.id, "event": event.as_json()} for event in events]
        reply = await self._send(_ENCODER.encode({"sink": self._name, "events": parts}))
        if isinstance(reply, Later):
            return reply
        return _judged(reply, events) if reply.ok else reply.failure()

    async def probe(self) -> Answer:
        """An empty batch."""
        reply = await self._send(_ENCODER.encode({"sink": self._name, "events": []}))
        if isinstance(reply, Later):
            return reply
        return Taken() if reply.ok else Later(f"http.{reply.status}")

    async def close(self) -> None:
        """Close the connection."""
        await self._post.close()

    async def _send(self, body: bytes) -> Reply | Later:
        headers = {"Content-Type": "application/json", "X-Querywarden-Timestamp": str(self._clock.now_ns() // 10**9)}
        if self._secret is not None:
            try:
                secret = await self._secret.value()
            except Unavailable as error:
                return Later(error.code)
            headers["X-Querywarden-Signature"] = sign(secret, headers["X-Querywarden-Timestamp"], body)
        reply = await self._post.send("", body, headers)
        if self._secret is not None:
            self._secret.heed(reply)
        return reply


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """The signature's header."""
    return f"v1={hmac.digest(secret.encode(), timestamp.encode() + b'.' + body, 'sha256').hex()}"


def _judged(reply: Reply, events: Sequence[Outgoing]) -> Answer:
    """What an answer of 2xx means. One that does not even begin as JSON is a plain yes."""
    try:
        said = msgspec.json.decode(reply.body, type=_Answer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Later("webhook.not_understood") if reply.body.lstrip().startswith((b"{", b"[")) else Taken()
    if said.refused:
        places = {event.id: place for place, event in enumerate(events)}
        found = sorted({places[each] for each in said.refused if each in places})
        if not found:
            return Later("webhook.refused_unknown")
        everything = len(found) == len(events)  # it has taken nothing, so nothing shows that the events are at fault
        return Refused(reason="webhook.refused") if everything else Taken(tuple(found), "webhook.refused")
    return Later("webhook.errors") if said.errors or said.error else Taken()
