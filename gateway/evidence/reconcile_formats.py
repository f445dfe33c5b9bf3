"""A PostgreSQL log cut into records: jsonlog, csvlog, and lines with a log_line_prefix. A stream, in bounded memory.

What cannot be read is counted, never passed over in silence: a statement could stand in it. csvlog has line breaks
inside its quotes, so what follows a torn record is found again by a line that begins with a time.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, TypeAlias

import msgspec

from gateway.evidence.reconcile_prefix import SEVERITIES, Prefix
from gateway.evidence.reconcile_record import LogFormatError, Record, Times, Unread

RECORD_MAX: Final = 64 << 20
"""bytes; a longer record is not read"""
KEPT_MAX: Final = 1 << 20
"""characters of a text that are kept"""
_COLUMNS_MIN: Final = 23
"""columns of a csvlog before PostgreSQL 13"""
_BACKEND: Final = 23
_CELL: Final = re.compile(r'(?:"([^"]*(?:""[^"]*)*)"|([^",]*))(?=,|\Z)')
_BEGINS: Final = re.compile(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} ")
_NOBODY: Final = frozenset({"[unknown]"})
Found: TypeAlias = Record | Unread


class _Json(msgspec.Struct):
    """A line of a jsonlog, as far as it is looked at."""

    timestamp: str
    message: str = ""
    statement: str = ""
    user: str = ""
    dbname: str = ""
    pid: int = 0
    session_id: str = ""
    line_num: int = 0
    application_name: str = ""
    remote_host: str = ""
    backend_type: str = ""


_JSON: Final = msgspec.json.Decoder(_Json)


def read_json(chunks: Iterable[bytes], times: Times) -> Iterator[Found]:
    """One object a line."""
    for line in _lines(chunks):
        if not line.strip():
            continue
        found = _of_json(line, times)
        yield Unread(len(line)) if found is None else found


def _of_json(line: bytes, times: Times) -> Record | None:
    text, odd = _text(line)
    try:
        said = _JSON.decode(text)
        time_ns = times(said.timestamp)
    except (msgspec.DecodeError, LogFormatError):
        return None
    return Record(
        time_ns, said.session_id or str(said.pid), said.user, said.dbname, said.application_name, said.remote_host,
        said.backend_type, said.message[:KEPT_MAX], said.statement[:KEPT_MAX], said.line_num,
        odd or max(len(said.message), len(said.statement)) > KEPT_MAX,
    )  # fmt: skip


def read_csv(chunks: Iterable[bytes], times: Times) -> Iterator[Found]:
    """Rows with line breaks inside quotes."""
    held, quotes = bytearray(), 0
    for line in _lines(chunks):
        if not held and not _BEGINS.match(line):
            yield Unread(len(line))
            continue
        held += line
        quotes += line.count(b'"')
        if quotes % 2 and len(held) <= RECORD_MAX:
            continue
        found = _of_csv(bytes(held), times) if len(held) <= RECORD_MAX else None
        yield Unread(len(held)) if found is None else found
        held.clear()
        quotes = 0
    if held:
        yield from _again(bytes(held), times)


def _again(held: bytes, times: Times) -> Iterator[Found]:
    """A row that never ended: its first line is given up, the rest is read anew."""
    first, newline, rest = held.partition(b"\n")
    yield Unread(len(first) + len(newline))
    if rest:
        yield from read_csv([rest], times)


def _of_csv(row: bytes, times: Times) -> Record | None:
    text, odd = _text(row)
    cells = _cells(text)
    if len(cells) < _COLUMNS_MIN:
        return None
    try:
        time_ns = times(cells[0])
    except LogFormatError:
        return None
    backend = cells[_BACKEND] if len(cells) > _BACKEND else ""
    number = int(cells[6]) if cells[6].isdecimal() else 0
    address = cells[4].rpartition(":")[0] or cells[4]
    return Record(
        time_ns, cells[5] or cells[3], cells[1], cells[2], cells[22], address, backend, cells[13][:KEPT_MAX],
        cells[19][:KEPT_MAX], number, odd or max(len(cells[13]), len(cells[19])) > KEPT_MAX,
    )  # fmt: skip


def _cells(row: str) -> list[str]:
    """The cells of a row; none when it is not one.

    The standard library's reader has a limit on cells that is one for the whole process.
    """
    cells, at, text = [], 0, row.removesuffix("\n")
    while (found := _CELL.match(text, at)) is not None:
        quoted, plain = found.groups()
        cells.append(plain if quoted is None else quoted.replace('""', '"'))
        at = found.end() + 1
        if at > len(text):
            return cells
    return []


def read_stderr(chunks: Iterable[bytes], times: Times, prefix: Prefix) -> Iterator[Found]:
    """Lines with a prefix. The server puts a tab in front of each further line of a text."""
    lines = _Texts(prefix, times)
    for line in _lines(chunks):
        yield from lines.take(line)
    yield from lines.rest()


class _Texts:
    """Lines put together to records: a report, then its DETAIL, HINT, STATEMENT … of the same process."""

    def __init__(self, prefix: Prefix, times: Times) -> None:
        self._prefix = prefix
        self._times = times
        self._fields: Mapping[str, str] | None = None
        self._parts: dict[str, list[str]] = {}
        self._last = ""
        self._kept = 0
        self._cut = False

    def take(self, line: bytes) -> Iterator[Found]:
        if line.startswith(b"\t"):
            if self._fields is None:
                yield Unread(len(line))
            else:
                self._more(*_text(line[1:]))
            return
        text, odd = _text(line)
        readings = self._prefix.read(text)
        if not readings:
            yield from self.rest()
            yield Unread(len(line))
            return
        for fields, kind, said in readings[1:]:
            yield from self.rest()
            self._begin(fields, kind, said, odd=True)
        yield from self._begun(*readings[0], odd=odd)

    def _begun(self, fields: Mapping[str, str], kind: str, said: str, *, odd: bool) -> Iterator[Found]:
        if kind in SEVERITIES or self._fields is None or _process(fields) != _process(self._fields):
            yield from self.rest()
        self._begin(fields, kind, said, odd=odd)

    def _begin(self, fields: Mapping[str, str], kind: str, said: str, *, odd: bool) -> None:
        self._fields = self._fields or fields
        self._last = "message" if kind in SEVERITIES else kind
        self._parts[self._last] = []
        self._more(said, odd)

    def _more(self, text: str, odd: bool) -> None:  # noqa: FBT001 -- as _text gives it
        self._cut = self._cut or odd
        if self._kept < KEPT_MAX:
            self._parts[self._last].append(text)
            self._kept += len(text)
        else:
            self._cut = True

    def rest(self) -> Iterator[Found]:
        """What is complete."""
        fields, parts, cut = self._fields, self._parts, self._cut
        self._fields, self._parts, self._kept, self._cut = None, {}, 0, False
        if fields is None:
            return
        text = {kind: "".join(pieces).removesuffix("\n") for kind, pieces in parts.items()}
        try:
            time_ns = self._time(fields)
        except LogFormatError:
            yield Unread(sum(map(len, text.values())))
            return
        yield Record(
            time_ns, _process(fields), _name(fields, "user"), _name(fields, "database"), fields.get("application"),
            fields.get("host") or fields.get("remote", "").partition("(")[0], fields.get("backend", ""),
            text.get("message", ""), text.get("STATEMENT", ""), 0, cut,
        )  # fmt: skip

    def _time(self, fields: Mapping[str, str]) -> int:
        if "time" in fields:
            return self._times(fields["time"])
        whole, _, fraction = fields["epoch"].partition(".")
        return int(whole) * 1_000_000_000 + int(fraction.ljust(9, "0")[:9])


def _process(fields: Mapping[str, str]) -> str:
    return fields.get("session") or fields.get("pid", "")


def _name(fields: Mapping[str, str], name: str) -> str:
    value = fields.get(name, "")
    return "" if value in _NOBODY else value


def _text(raw: bytes) -> tuple[str, bool]:
    """The text, and whether it has bytes that are no UTF-8: the database may have another encoding."""
    try:
        return raw.decode(), False
    except UnicodeDecodeError:
        return raw.decode(errors="replace"), True


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Lines with their ends. One longer than RECORD_MAX comes in pieces, which nobody takes for a record."""
    rest = b""
    for chunk in chunks:
        whole, newline, after = (rest + chunk).rpartition(b"\n")
        if newline:
            for line in whole.split(b"\n"):
                yield line + b"\n"
        rest = after
        if len(rest) > RECORD_MAX:
            yield rest + b"\n"
            rest = b""
    if rest:
        yield rest


Reader: TypeAlias = Callable[[Iterable[bytes]], Iterator[Found]]


def reader_of(form: str, times: Times, prefix: Prefix | None = None) -> Reader:
    """What reads a format: `json`, `csv`, or `stderr`, which needs the server's log_line_prefix."""
    match form:
        case "json":
            return lambda chunks: read_json(chunks, times)
        case "csv":
            return lambda chunks: read_csv(chunks, times)
        case "stderr" if prefix is not None:
            return lambda chunks: read_stderr(chunks, times, prefix)
        case _:
            raise LogFormatError("the format is json, csv, or stderr with a log_line_prefix")
