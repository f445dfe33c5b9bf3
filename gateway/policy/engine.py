"""What evaluates a bundle: one interface, and how an answer is read. Whatever goes wrong has a code, and denies."""

from typing import Protocol

import msgspec

from gateway.core.errors import Unavailable

_RESULTS = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_ENCODER = msgspec.json.Encoder(order="sorted")


class EngineError(Unavailable):
    """No answer could be had (`policy.*`): the statement is denied."""


class Engine(Protocol):
    """Evaluates `data.gateway.main.decision` of one bundle."""

    @property
    def name(self) -> str:
        """Kind and version, as the record names it."""
        ...

    @property
    def remembers(self) -> bool:
        """Whether an answer may be given again without asking: nothing but the bundle could change it."""
        ...

    async def evaluate(self, document: bytes) -> bytes:
        """The canonical answer (RFC 8785) to a canonical input document. Raises EngineError."""
        ...

    async def check(self) -> None:
        """Raise EngineError unless it could decide now."""
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...


def answer_of(result_set: bytes) -> bytes:
    """The one value of a result set like `[{"result": …}]`, canonical. Raises EngineError when there is none."""
    try:
        results = _RESULTS.decode(result_set)
    except msgspec.DecodeError:
        raise EngineError("policy.engine", "the answer is no result set") from None
    if not results:
        raise EngineError("policy.undefined")
    if len(results) > 1 or set(results[0]) != {"result"}:
        raise EngineError("policy.engine", "more than one answer")
    return _ENCODER.encode(msgspec.json.decode(results[0]["result"]))
