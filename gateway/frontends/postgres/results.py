"""Rows on their way out: columns checked against the plan, counted against the limits, scanned for card numbers."""

from gateway.core.errors import ProtocolError
from gateway.frontends.postgres.conversation import Conversation
from gateway.masking.detect import blank, blank_row, suspicious
from gateway.session.exchange import Step
from gateway.session.ruling import Ruling
from gateway.session.task import Task
from gateway.wire.postgres.frames import DataRun, Frame
from gateway.wire.postgres.server_messages import Column, parse_row_description


def check_columns(conversation: Conversation, item: Frame, step: Step) -> None:
    """A protected base column that the plan did not expect raw ends the session before its first row.

    That a column names no table proves nothing: this is a second net below masking at the source.
    """
    about = step.entry.about if step.entry else None
    ruling = step.task.ruling if step.task else (about.ruling if about else None)
    if ruling is None or ruling.plan is None:
        return
    fields = parse_row_description(item)
    protected, expected = ruling.ground.catalog.protected, ruling.plan.expected_raw
    for field in fields:
        place = (field.table_oid, field.attnum)
        if place in protected and place not in expected:
            raise ProtocolError("result.unexpected_column", field.name)
    exempt = exempt_columns(ruling, fields)
    if step.task is not None:
        step.task.exempt = exempt
    if about is not None:
        about.described, about.exempt = True, exempt


def exempt_columns(ruling: Ruling, fields: tuple[Column, ...]) -> frozenset[int]:
    """Indexes of columns the card scan leaves alone: those policy cleared, and those site data exempts."""
    catalog, exempt = ruling.ground.catalog, ruling.ground.posture.scan_exempt
    cleared = ruling.plan.expected_raw if ruling.plan else frozenset()
    found = set()
    for index, field in enumerate(fields):
        relation = catalog.relations.get(field.table_oid)
        column = next((c for c in relation.columns if c.attnum == field.attnum), None) if relation else None
        if (field.table_oid, field.attnum) in cleared or (
            relation and column and column.name in exempt.get(relation.qualified, ())
        ):
            found.add(index)
    return frozenset(found)


def take_rows(conversation: Conversation, run: DataRun, step: Step) -> bytes:
    """What the client is shown of a run of rows."""
    task = step.task
    if task is None:
        raise ProtocolError("upstream.unexpected_message", "rows that nobody asked for")
    if task.over:
        return b""
    if task.row_limit is not None and task.rows + run.count > task.row_limit:
        run = run.first(task.row_limit - task.rows)
        task.over = "limit.rows"
        conversation.stop_upstream()
    task.rows += run.count
    shown = _scanned(run, task) if conversation.guarded else run.raw
    task.bytes += len(shown)
    return shown


def _scanned(run: DataRun, task: Task) -> bytes:
    """The run with card numbers blanked in place. A clean chunk, nearly every one, is looked at once, as a whole."""
    if not suspicious(run.raw):
        return run.raw
    if run.kind == b"d":
        parts = []
        for payload in run.payloads():
            text, found = blank(bytes(payload))
            task.blanked += found
            parts.append(b"d" + (len(text) + 4).to_bytes(4, "big") + text)
        return b"".join(parts)
    parts = []
    for payload in run.payloads():
        row, hits = blank_row(bytes(payload), task.exempt)
        for index, found in hits.items():
            task.columns[index] = task.columns.get(index, 0) + found
            task.blanked += found
        parts.append(b"D" + (len(row) + 4).to_bytes(4, "big") + row)
    return b"".join(parts)
