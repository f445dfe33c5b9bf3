"""What the server says in words: errors and notices can carry a row's value, so their texts are replaced or scanned.

Severity, SQLSTATE and position stay. When the statement touched anything governed, every other field is a template;
otherwise the text is scanned for card numbers (PostgreSQL 18, §54.8 lists the fields).
"""

from gateway.frontends.postgres.conversation import Conversation
from gateway.masking.detect import blank
from gateway.session.exchange import Step
from gateway.session.ruling import Ruling
from gateway.wire.postgres.frames import Frame
from gateway.wire.postgres.server_messages import diagnostic, parse_diagnostic

_KEPT = frozenset("SVC")
_WORDS = {
    "22": "the data does not fit the operation",
    "23": "a constraint was violated",
    "40": "the transaction was rolled back; try again",
    "42": "the statement does not fit the schema",
    "53": "the server lacks a resource",
    "57": "the server was asked to stop",
}


def scrub(conversation: Conversation, item: Frame, step: Step) -> bytes:
    """The message as the client may see it."""
    ruling = _ruling(step)
    fields = dict(parse_diagnostic(item).fields)
    if ruling is not None and ruling.understood.governed:
        fields = _template(fields)
    elif conversation.guarded:
        fields = {name: blank(value.encode())[0].decode() for name, value in fields.items()}
    position = fields.pop("P", "")
    if position.isdigit() and step.entry is not None:
        mapped = step.entry.positions.original(int(position))
        if mapped:
            fields["P"] = str(mapped)
    return diagnostic(item.kind, fields)


def _ruling(step: Step) -> Ruling | None:
    for task, _ in step.finished:
        return task.ruling
    if step.task is not None:
        return step.task.ruling
    if step.entry is not None and step.entry.about is not None:
        return step.entry.about.ruling
    return None


def _template(fields: dict[str, str]) -> dict[str, str]:
    """Only what says nothing about a row: severity, code, and words chosen by the class of the code."""
    kept = {name: value for name, value in fields.items() if name in _KEPT or name == "P"}
    kept["M"] = _WORDS.get(fields.get("C", "")[:2], "the server reported a condition")
    kept["D"] = "The server's own words are withheld: the statement touches protected data."
    return kept
