"""What is asked of a witness, and what its answer means: C2SP tlog-witness, `add-checkpoint`.

The request is the size the witness saw last, the proof that the tree of that size is a beginning of ours (RFC 6962,
§2.1.2), and the checkpoint. It answers with its cosignature; or with 409 and the size it did see last, and is asked
again from there. Every other answer is trouble: it *failed* when the witness did not do its work, and was *refused*
when it did and said no. A witness that has seen another history of this log says no for ever, and that is its purpose.
"""

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Final, NamedTuple

from gateway.evidence.cosign import Cosignature, WitnessKey, read_cosignatures
from gateway.evidence.merkle import Node, consistency_proof
from gateway.evidence.note import Checkpoint, NoteError, b64

MAX_ANSWER: Final = 64 << 10
MAX_SKEW_SECONDS: Final = 300
"""how far a cosignature's time may be from ours"""
_SIZE: Final = re.compile(rb"(0|[1-9][0-9]{0,18})\n?")


class Why(StrEnum):
    """What was wrong."""

    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    STATUS = "status"
    ANSWER = "answer"
    SIGNATURE = "signature"
    CLOCK = "clock"
    LOCAL = "local"
    UNKNOWN_LOG = "unknown_log"
    UNKNOWN_KEY = "unknown_key"
    MALFORMED = "malformed"
    AHEAD = "ahead"
    OTHER_HISTORY = "other_history"


MEANING: Final = {
    Why.UNREACHABLE: "it cannot be reached",
    Why.TIMEOUT: "it did not answer in time",
    Why.STATUS: "it answered with an error of its own",
    Why.ANSWER: "its answer cannot be read",
    Why.SIGNATURE: "its answer has no good cosignature of its key",
    Why.CLOCK: "its cosignature has a time far from ours",
    Why.LOCAL: "our own disk is in the way",
    Why.UNKNOWN_LOG: "it does not know this log",
    Why.UNKNOWN_KEY: "it knows another key for this log",
    Why.MALFORMED: "it could not read the request",
    Why.AHEAD: "it has seen a longer history of this log: ours was put back, or somebody else uses its key",
    Why.OTHER_HISTORY: "it has seen another history of this log, signed with its key",
}
GRAVE: Final = frozenset({Why.AHEAD, Why.OTHER_HISTORY})
"""what a witness is there to notice"""
REFUSALS: Final = frozenset({Why.UNKNOWN_LOG, Why.UNKNOWN_KEY, Why.MALFORMED, *GRAVE})


_STATUSES: Final = {
    400: Why.MALFORMED,
    403: Why.UNKNOWN_KEY,
    404: Why.UNKNOWN_LOG,
    422: Why.OTHER_HISTORY,
}


class Answer(NamedTuple):
    """What came back over HTTP."""

    status: int
    body: bytes


class Behind(NamedTuple):
    """The witness saw another size last: it wants the proof from there."""

    size: int


class Trouble(NamedTuple):
    """No cosignature."""

    why: Why
    detail: str = ""
    """a status, or the name of an error; never content"""

    @property
    def refused(self) -> bool:
        """The witness said no."""
        return self.why in REFUSALS


class Asked(NamedTuple):
    """What a witness was asked to cosign."""

    old: int
    """the size it saw last, as far as we know"""
    checkpoint: Checkpoint
    text: str
    """of the checkpoint's note"""


def request(old: int, node: Node, checkpoint: Checkpoint, note: bytes) -> bytes:
    """The body of `add-checkpoint`. Raises what `node` raises, and ValueError when `old` is beyond the checkpoint."""
    proof = consistency_proof(node, old, checkpoint.size)
    return "\n".join([f"old {old}", *map(b64, proof), "", ""]).encode() + note


def understand(answer: Answer, asked: Asked, key: WitnessKey, now_s: int) -> Cosignature | Behind | Trouble:
    """What an answer says."""
    match answer.status:
        case 200:
            return _cosigned(answer.body, asked, key, now_s)
        case 409:
            return _conflict(answer.body, asked)
        case status:
            return Trouble(_STATUSES.get(status, Why.STATUS), str(status))


def _conflict(body: bytes, asked: Asked) -> Behind | Trouble:
    found = _SIZE.fullmatch(body)
    if found is None:
        return Trouble(Why.ANSWER, "409 without a size")
    size = int(found[1])
    if size > asked.checkpoint.size:
        return Trouble(Why.AHEAD, f"{size} leaves")
    if size == asked.old:  # sizes agree, so it is the trees that do not
        return Trouble(Why.OTHER_HISTORY, "409")
    return Behind(size)


def _cosigned(body: bytes, asked: Asked, key: WitnessKey, now_s: int) -> Cosignature | Trouble:
    lines = _lines(body)
    try:
        found, _ = read_cosignatures(asked.text, lines, [key])
    except NoteError:
        return Trouble(Why.SIGNATURE)
    if not found:
        return Trouble(Why.SIGNATURE if lines else Why.ANSWER)
    if abs(found[0].at - now_s) > MAX_SKEW_SECONDS:
        return Trouble(Why.CLOCK, f"{found[0].at - now_s} s")
    return found[0]


def _lines(body: bytes) -> Sequence[str]:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return ()
    return text.removesuffix("\n").split("\n") if text.endswith("\n") and len(body) <= MAX_ANSWER else ()
