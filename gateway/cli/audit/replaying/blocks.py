"""A recorded session for the terminal: blocks of text, each with its time. Nothing in them can move the cursor."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.cli.audit.replaying.messages import Reading
from gateway.cli.audit.replaying.stream import Event, Noted, Said
from gateway.cli.audit.words import printable
from gateway.core.errors import ProtocolError
from gateway.evidence.recording.frames import Note

CELL_MAX: Final = 200
"""characters of a value that are shown"""
COPY_MAX: Final = 20
"""lines of COPY data that are shown"""
_STYLES: Final = {"done": "green", "deny": "red", "failed": "red", "unavailable": "red", "suspended": "yellow"}


class Block(NamedTuple):
    """Something to show."""

    t_ns: int
    text: str


@dataclass(slots=True)
class _Result:
    """Rows that have come and are not shown yet."""

    names: list[str] = field(default_factory=list)
    rows: list[list[str | None]] = field(default_factory=list)
    copied: list[str] = field(default_factory=list)
    more: int = 0


class Blocks:
    """Makes blocks out of events. `rows`: how many of a result are shown."""

    def __init__(self, *, rows: int = 50, width: int = 120, colours: bool = False) -> None:
        self._most = rows
        self._reading = Reading()
        self._result = _Result()
        self._numbers: dict[int, Note] = {}
        self._tags: dict[int, str] = {}
        self._out = io.StringIO()
        self._console = Console(
            file=self._out, width=width, force_terminal=colours, no_color=not colours, highlight=False, soft_wrap=False
        )

    def of(self, events: Iterable[Event]) -> Iterator[Block]:
        """Everything worth showing, in order."""
        for event in events:
            if isinstance(event, Noted):
                self._note(event)
            elif event.sent:
                self._sent(event)
            else:
                self._received(event)
            if text := self._take():
                yield Block(event.t_ns, text)

    def _take(self) -> str:
        text = self._out.getvalue()
        self._out.seek(0)
        self._out.truncate()
        return text

    def _say(self, text: str, style: str = "", indent: int = 2) -> None:
        """Lines of text; what is in them is shown, never obeyed."""
        for line in text.splitlines() or [""]:
            self._console.print(Text(" " * indent + printable(line), style=style), soft_wrap=True)

    def _note(self, event: Noted) -> None:
        note = event.note
        if note.is_ == "statement":
            self._numbers[event.statement] = note
            phase = "" if note.phase == "query" else f" ({printable(note.phase)})"
            line = f"{event.t_ns / 1e9:10.3f}s  #{event.statement} {note.act}{phase}  {note.did}"
            self._say(line, "bold", 0)
            return
        begun = self._numbers.pop(event.statement, None)
        if begun is None or (begun.phase == "parse" and note.outcome == "done"):
            return
        rows = f"{note.rows} row{'' if note.rows == 1 else 's'}" if note.rows else ""
        parts = [note.outcome, note.code, rows or self._tags.pop(event.statement, "")]
        self._tags.pop(event.statement, None)
        self._say(f"#{event.statement} {': '.join(part for part in parts if part)}", _STYLES.get(note.outcome, ""))

    def _sent(self, said: Said) -> None:
        facts = self._reading.read(said)
        match said.kind:
            case b"Q" | b"P":
                self._say(str(facts.get("text", "")), "cyan", 4)
            case b"B":
                values = facts.get("parameters")
                if isinstance(values, list) and values:
                    shown = (f"${number} = {_cell(value)}" for number, value in enumerate(values, 1))
                    self._say(", ".join(shown), "cyan", 4)
            case b"d":
                self._copied(str(facts.get("data", "")))
            case b"c" | b"f":
                self._flush("sent")
            case b"X":
                self._say("the agent left", "dim")
            case _:
                pass

    def _received(self, said: Said) -> None:
        match said.kind:
            case b"D":
                self._row(said)
                return
            case b"d":
                self._copied(str(self._reading.read(said).get("data", "")))
                return
            case _:
                facts = self._reading.read(said)
        match said.kind:
            case b"T":
                self._flush()
                self._result.names = [column.name for column in self._reading.columns]
            case b"C" | b"s" | b"I":
                self._flush("received")
                self._tags[said.statement] = str(facts.get("tag", ""))
            case b"E" | b"N":
                self._flush("received")
                self._diagnostic(facts, "red" if said.kind == b"E" else "yellow")
            case _:
                pass

    def _diagnostic(self, facts: dict[str, object], style: str) -> None:
        self._say(f"{facts.get('severity')} {facts.get('sqlstate')}: {facts.get('message', '')}", style)
        for name in ("detail", "hint"):
            if name in facts:
                self._say(f"{name}: {facts[name]}", style, 4)

    def _row(self, said: Said) -> None:
        if len(self._result.rows) >= self._most:
            self._result.more += 1
            return
        try:
            self._result.rows.append(self._reading.row(said))
        except ProtocolError:
            self._say("a row that cannot be read", "red")

    def _copied(self, data: str) -> None:
        lines = data.splitlines()
        room = max(COPY_MAX - len(self._result.copied), 0)
        self._result.copied += lines[:room]
        self._result.more += len(lines[room:])

    def _flush(self, which: str = "") -> None:
        """Show the rows that have come."""
        result, self._result = self._result, _Result(names=self._result.names)
        for line in result.copied:
            self._say(f"{'>' if which == 'sent' else '<'} {_cell(line)}", "", 4)
        if result.rows:
            self._console.print(_table(result))
        if result.more:
            self._say(f"… {result.more} more", "dim", 4)


def _table(result: _Result) -> Table:
    width = max(map(len, result.rows))
    names = (result.names if len(result.names) == width else [])[:width] or [str(n) for n in range(1, width + 1)]
    table = Table(pad_edge=False, header_style="bold", show_edge=False)
    for name in names:
        table.add_column(Text(printable(name)))
    for row in result.rows:
        table.add_row(*(Text(_cell(value), style="dim" if value is None else "") for value in row))
    return table


def _cell(value: object) -> str:
    """A value in one line."""
    if value is None:
        return "NULL"
    text = str(value)
    return printable(text if len(text) <= CELL_MAX else f"{text[:CELL_MAX]}…")
