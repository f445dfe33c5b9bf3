"""What the server says in words: errors and notices can carry a row's value, so their texts are replaced or scanned.

Severity, SQLSTATE and position stay. When the statement touched anything governed, every other field is a template, and
an SQLSTATE that no documentation knows (RAISE can choose all five characters) is replaced; otherwise the text is
scanned for card numbers (PostgreSQL 18, §54.8 lists the fields).
"""

from gateway.frontends.postgres.conversation import Conversation
from gateway.masking.detect import blank
from gateway.session.composition import Positions
from gateway.session.exchange import Step
from gateway.session.task import Task
from gateway.wire.postgres.frames import Frame
from gateway.wire.postgres.server_messages import diagnostic, parse_diagnostic
from gateway.wire.postgres.sqlstates import DOCUMENTED

_KEPT = frozenset("SVCP")
_UNKNOWN_ERROR, _UNKNOWN_NOTICE = "XX000", "01000"
_WORDS = {
    "01": "the server gave a warning",
    "22": "the data does not fit the operation",
    "23": "a constraint was violated",
    "25": "the transaction is in another state",
    "40": "the transaction was rolled back; try again",
    "42": "the statement does not fit the schema",
    "53": "the server lacks a resource",
    "55": "an object is in another state",
    "57": "the server was asked to stop",
}
_SEVERITIES = frozenset({"ERROR", "FATAL", "PANIC", "WARNING", "NOTICE", "DEBUG", "INFO", "LOG"})


def scrub(conversation: Conversation, item: Frame, step: Step) -> bytes:
    """The message as the client may see it."""
    fields = dict(parse_diagnostic(item).fields)
    task = _task(step)
    if _governed(conversation, step, task):
        fields = _template(item.kind, fields)
    elif conversation.guarded:
        fields = {name: _scanned(value) for name, value in fields.items()}
    _map_position(fields, step)
    return diagnostic(item.kind, fields)


def _task(step: Step) -> Task | None:
    """The statement that a message of the server is about."""
    return step.finished[0][0] if step.finished else step.task


def _governed(conversation: Conversation, step: Step, task: Task | None) -> bool:
    """What names no relation itself (COMMIT, FETCH, Sync) speaks for whatever its transaction has touched."""
    if task is not None:
        return task.governed or (conversation.governed and not task.ruling.understood.statement.relations)
    about = step.entry.about if step.entry else None
    if about is not None and about.ruling is not None and about.ruling.understood.governed:
        return True
    return conversation.governed


def _template(kind: bytes, fields: dict[str, str]) -> dict[str, str]:
    """Only what says nothing about a row: severity, code, and words chosen by the class of the code."""
    kept = {name: value for name, value in fields.items() if name in _KEPT}
    severity = kept.get("V", "") or kept.get("S", "")
    if severity not in _SEVERITIES:
        severity = "ERROR" if kind == b"E" else "NOTICE"
    kept["S"] = kept["V"] = severity
    if kept.get("C", "") not in DOCUMENTED:
        kept["C"] = _UNKNOWN_ERROR if kind == b"E" else _UNKNOWN_NOTICE
    kept["M"] = _WORDS.get(kept["C"][:2], "the server reported a condition")
    kept["D"] = "The server's own words are withheld: the statement touches protected data."
    return kept


def _scanned(value: str) -> str:
    return blank(value.encode())[0].decode()


def _map_position(fields: dict[str, str], step: Step) -> None:
    """Where the condition stands in what the client wrote; left out when it stands in nothing of the client's."""
    position = fields.pop("P", "")
    mapped = _positions(step).original(int(position)) if position.isascii() and position.isdigit() else None
    if mapped:
        fields["P"] = str(mapped)


def _positions(step: Step) -> Positions:
    if step.entry is None:
        return Positions()
    return step.entry.about.positions if step.entry.about is not None else step.entry.positions
