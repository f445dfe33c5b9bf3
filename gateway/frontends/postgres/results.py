"""Rows on their way out: columns checked against the plan, counted against the limits, scanned for card numbers."""

from gateway.core.errors import ProtocolError
from gateway.frontends.postgres.conversation import Conversation
from gateway.masking.copy import CopyForm, CopyScanner
from gateway.masking.detect import blank_row, suspicious
from gateway.masking.fields import readings
from gateway.session.exchange import Step
from gateway.session.registry import Prepared
from gateway.session.ruling import Ruling
from gateway.session.shape import Shape
from gateway.session.task import Task
from gateway.sql.model import Fetch
from gateway.wire.postgres.frames import DataRun, Frame
from gateway.wire.postgres.server_messages import Column, parse_row_description


def check_columns(conversation: Conversation, item: Frame, step: Step) -> None:
    """A protected base column that the plan did not expect raw ends the session before its first row.

    That a column names no table proves nothing: this is a second net below masking at the source.
    """
    about = step.entry.about if step.entry else None
    ruling = step.task.ruling if step.task else (about.ruling if about else None)
    if ruling is None or ruling.plan is None or _is_known(item, step, about):
        return
    fields = parse_row_description(item)
    protected, expected = ruling.ground.catalog.protected, _expected(conversation, ruling)
    for field in fields:
        place = (field.table_oid, field.attnum)
        if place in protected and place not in expected:
            raise ProtocolError("result.unexpected_column", f"attribute {field.attnum} of relation {field.table_oid}")
    exempt = exempt_columns(ruling, fields, expected)
    types, formats = tuple(field.type_oid for field in fields), tuple(field.format for field in fields)
    shape = Shape(exempt, types, formats, item.raw)
    if step.task is not None:
        step.task.shape = shape
    elif about is not None:
        about.shape = shape


def _is_known(item: Frame, step: Step, about: Prepared | None) -> bool:
    """Whether a prepared statement is described, word for word, as it was when its columns were checked.

    Drivers ask before each Execute. What a FETCH may show hangs on its cursor, so it is looked at each time.
    """
    if step.task is not None or about is None or about.shape is None or about.shape.described != item.raw:
        return False
    return about.ruling is not None and about.ruling.understood.statement.action != "fetch"


def no_columns(step: Step) -> None:
    """NoData: the statement gives no rows."""
    if step.entry is not None and step.entry.about is not None:
        step.entry.about.shape = Shape()


def _expected(conversation: Conversation, ruling: Ruling) -> frozenset[tuple[int, int]]:
    """(table OID, attnum) that may arrive as they are. FETCH names no column: its cursor was judged when declared."""
    expected = ruling.plan.expected_raw if ruling.plan else frozenset[tuple[int, int]]()
    effect = ruling.understood.effect
    if isinstance(effect, Fetch):
        rulings = [portal.prepared.ruling for portal in conversation.registry.cursors(effect.name)]
        plans = [cursor.plan for cursor in rulings if cursor is not None and cursor.plan is not None]
        expected = expected.union(*(plan.expected_raw for plan in plans))
    return expected


def exempt_columns(ruling: Ruling, fields: tuple[Column, ...], cleared: frozenset[tuple[int, int]]) -> frozenset[int]:
    """Indexes of columns the card scan leaves alone: those policy cleared, and those site data exempts."""
    places = [(field.table_oid, field.attnum) for field in fields]
    return frozenset(n for n, place in enumerate(places) if place in cleared or _is_exempt(ruling, place))


def _is_exempt(ruling: Ruling, place: tuple[int, int]) -> bool:
    """Site data says that the scan leaves this column alone."""
    relation = ruling.ground.catalog.relations.get(place[0])
    exempt = ruling.ground.posture.scan_exempt.get(relation.qualified, ()) if relation else ()
    return (
        any(column.attnum == place[1] and column.name in exempt for column in relation.columns) if relation else False
    )


def take_rows(conversation: Conversation, run: DataRun, step: Step) -> bytes:
    """What the client is shown of a run of rows."""
    task = step.task
    if task is None:
        raise ProtocolError("upstream.unexpected_message", "rows that nobody asked for")
    about = step.entry.about if step.entry else None
    shape = about.shape if about else task.shape
    guarded = conversation.guarded
    if guarded and run.kind == b"D" and shape is None:
        raise ProtocolError("upstream.unexpected_message", "rows that were not described")
    run = _within_limits(conversation, run, task)
    if not run.count:
        return b""
    task.rows += run.count
    shown = _scanned(run, task, shape or Shape()) if guarded else run.raw
    task.bytes += len(shown)
    return shown


def _within_limits(conversation: Conversation, run: DataRun, task: Task) -> DataRun:
    """The rows that may still be shown; the statement is stopped at the first that may not."""
    if task.over:
        return run.first(0)
    served = task.rows + (task.portal.served if task.portal else 0)
    if task.row_limit is not None and served + run.count > task.row_limit:
        task.over = "limit.rows"
        run = run.first(task.row_limit - served)
    elif task.byte_limit is not None and task.bytes + len(run.raw) > task.byte_limit:
        task.over = "limit.bytes"
        run = run.first(0)
    if task.over:
        conversation.stop_upstream()
    return run


def _scanned(run: DataRun, task: Task, shape: Shape) -> bytes:
    """The run with card numbers blanked in place. A clean chunk, nearly every one, is looked at once, as a whole."""
    if not suspicious(run.raw):
        return run.raw
    parts = []
    if run.kind == b"d":
        scanner = _copy_scanner(task)
        for payload in run.payloads():
            text = scanner.feed(bytes(payload))
            parts.append(b"d" + (len(text) + 4).to_bytes(4, "big") + text)
        task.blanked += scanner.found
        for index, found in scanner.columns.items():
            task.columns[index] = task.columns.get(index, 0) + found
        return b"".join(parts)
    how = readings(shape.columns(task.portal.formats if task.portal else None))
    for payload in run.payloads():
        row, hits = blank_row(bytes(payload), shape.exempt, how)
        for index, found in hits.items():
            task.columns[index] = task.columns.get(index, 0) + found
            task.blanked += found
        parts.append(b"D" + (len(row) + 4).to_bytes(4, "big") + row)
    return b"".join(parts)


def _copy_scanner(task: Task) -> CopyScanner:
    """For COPY of a relation the columns are known; what policy cleared and site data exempts is left alone."""
    plan = task.ruling.plan
    if plan is None or plan.copy is None:
        return CopyScanner()
    places = enumerate(plan.copy.places)
    exempt = (n for n, place in places if place in plan.expected_raw or _is_exempt(task.ruling, place))
    return CopyScanner(CopyForm(plan.copy.form), frozenset(exempt))
