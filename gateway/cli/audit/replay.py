"""`querywarden audit replay`: a recorded session again, in the terminal or as a file that other programs read."""

import contextlib
import os
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, BinaryIO, Final, Literal

from cyclopts import Parameter
from cyclopts.validators import Number

from gateway.cli.audit.accessing import AsOption, note_access
from gateway.cli.audit.desk import (
    FINE,
    SAYS_NO,
    ConfigOption,
    DataOption,
    Unreadable,
    data_folder,
    reading,
)
from gateway.cli.audit.replaying import from_log
from gateway.cli.audit.replaying.blocks import Blocks
from gateway.cli.audit.replaying.exports import WIDTH, as_cast, as_lines
from gateway.cli.audit.replaying.pcapng import Capture
from gateway.cli.audit.replaying.stream import Event, Said, events
from gateway.cli.audit.words import json_line, moment, printable
from gateway.core.errors import ConfigError
from gateway.evidence.explain import tell
from gateway.evidence.recording.check import check_one
from gateway.evidence.recording.format import RecordingError
from gateway.evidence.recording.frames import FrameError, Piece, What, decode_note
from gateway.evidence.recording.keys import load_private
from gateway.evidence.recording.places import recording_path
from gateway.evidence.recording.reader import Playback
from gateway.evidence.walk import Finding

IDLE_MAX: Final = 2.0
"""seconds that a silence lasts in the terminal"""
NOT_NEGATIVE: Final = Number(gte=0)
_DUMP_WIDTH: Final = 16


@dataclass(frozen=True, kw_only=True)
class Shown:
    """The options that say how it is shown."""

    key: Path | None = None
    """The private key of a recipient (`querywarden keys recording`). Without it: what the log tells."""
    speed: Annotated[float | None, Parameter(validator=NOT_NEGATIVE)] = None
    """1 as it was, 4 four times as fast, 0 at once. Default: 1 on a terminal, else 0; silences last 2 s at most."""
    start: Annotated[str, Parameter(name="--from")] = ""
    """Begin at this statement: its number in the session, or its decision id."""
    rows: Annotated[int, Parameter(validator=NOT_NEGATIVE)] = 50
    """How many rows of a result are shown."""
    raw: Annotated[bool, Parameter(negative="")] = False
    """Show the bytes of every message."""
    export: Literal["pcapng", "jsonl", "asciicast"] | None = None
    """Write a file instead: packets for Wireshark, a JSON document a message, or a terminal's output."""
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None
    """That file. Default: standard output."""
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False
    """Print one JSON document a message."""


USUAL: Final = Shown()


def replay(
    session: str,
    /,
    *,
    shown: Annotated[Shown, Parameter(name="*", show_default=False)] = USUAL,
    config: ConfigOption = None,
    data: DataOption = None,
    person: AsOption = "",
) -> int:
    """Show a session again: each statement, how it ended, and what the agent received. Exits 1 when it was changed.

    The recording is compared with what the log sealed before it is shown; that it was replayed becomes a leaf, too.

    Parameters
    ----------
    session
        Its id, or that of a decision: then it begins there, unless --from says otherwise.
    shown
        How it is shown.
    config
        The configuration file, which names the data folder. Default: gateway.yaml.
    data
        The data folder itself.
    person
        Who you are, when several people share this account: it is recorded.

    """
    folder = data_folder(config, data)
    path, session, start = _sought(folder, session, shown.start)
    if shown.key is None or not path.is_file():
        return _without(folder, session, shown, person, recorded=path.is_file())
    findings = _findings(folder, session)
    playback, first = _opened(path, shown.key, start)
    asked = {"session": session, "from": start, "export": shown.export, "raw": shown.raw}
    note_access(folder, "replay", asked, person=person)
    for finding in findings:
        sys.stderr.write(_said(finding))
    return _play(playback, first, shown, grave=any(finding.grave for finding in findings))


def _sought(folder: Path, session: str, start: str) -> tuple[Path, str, str]:
    """Where the recording lies, its session, and where to begin. A decision names its session."""
    try:
        path = recording_path(folder, session)
        with reading():
            story = None if path.is_file() else tell(folder, session)
        if story is None or not story.decided.leaf.sid:
            return path, session, start
        return recording_path(folder, story.decided.leaf.sid), story.decided.leaf.sid, start or session
    except RecordingError as error:
        raise Unreadable("recording.unknown", f"{printable(session)}: {error}") from None


def _opened(path: Path, key: Path, start: str) -> tuple[Playback, int]:
    """The recording, and the number of the statement to begin at. Raises Unreadable, ConfigError, OSError."""
    try:
        playback = Playback(path, load_private(key))
        if playback.header.protocol != "postgres":
            raise Unreadable("recording.unreadable", f"{printable(playback.header.protocol)} is not shown yet")
        return playback, _first(playback, start)
    except RecordingError as error:
        raise Unreadable("recording.unreadable", f"{error.name}: {error}") from None


def _findings(folder: Path, session: str) -> list[Finding]:
    """What does not fit to what the log has sealed. Raises Unreadable when its key was destroyed."""
    with reading():
        findings = list(check_one(folder, session))
    for finding in findings:
        if finding.name == "recording.shredded":
            raise Unreadable("recording.unreadable", f"{finding.name}: {printable(finding.text)}")
    return findings


def _without(folder: Path, session: str, shown: Shown, person: str, *, recorded: bool) -> int:
    """What the log tells of a session that was not recorded, or whose recording cannot be opened."""
    if shown.raw or shown.export is not None or shown.start:
        why = "give --key: the recording is encrypted" if recorded else "the session was not recorded"
        raise ConfigError("recording.key", f"--raw, --export and --from need a recording: {why}")
    with reading():
        hits = from_log.statements(folder, session)
    if not hits and not recorded:
        raise Unreadable("recording.unknown", f"{session}: the log has no statement of such a session")
    note_access(folder, "replay", {"session": session}, results=len(hits), person=person)
    if shown.as_json:
        sys.stdout.writelines(json_line(hit) for hit in hits)
        return FINE
    sys.stdout.writelines(from_log.in_words(hits))
    more = "it was recorded: --key shows what passed" if recorded else "it was not recorded: this is what the log tells"
    sys.stdout.write(f"{len(hits)} statement{'' if len(hits) == 1 else 's'}; {more}\n")
    return FINE


def _first(playback: Playback, start: str) -> int:
    """Number of the statement to begin at; 0 for the beginning. Raises ConfigError."""
    if not start:
        return 0
    if start.isdecimal():
        return int(start)
    for piece in playback.pieces():
        if piece.what is What.NOTE and decode_note(piece.data).did == start:
            return piece.statement
    raise ConfigError("audit.unknown_decision", f"--from: {printable(start)} is no statement of this session")


def _from(playback: Playback, first: int) -> Iterator[Piece]:
    """The frames from the beginning of a statement on."""
    found = not first
    for piece in playback.pieces(playback.segment_of(first) if first else 0):
        found = found or (piece.what is What.NOTE and piece.statement == first)
        if found:
            yield piece


def _play(playback: Playback, first: int, shown: Shown, *, grave: bool) -> int:
    pieces = _from(playback, first)
    try:
        with _output(shown.output) as file:
            _write(playback, pieces, shown, file)
    except (RecordingError, FrameError) as error:
        playback.trouble = playback.trouble or RecordingError("recording.frames", str(error))
    if playback.trouble is not None:
        sys.stderr.write(f"it ends here, {playback.trouble.name}: {playback.trouble}\n")
    elif playback.totals is None:
        sys.stderr.write("it ends here without an end: the session goes on, or its gateway was killed\n")
    return SAYS_NO if grave or playback.trouble is not None else FINE


def _write(playback: Playback, pieces: Iterable[Piece], shown: Shown, file: BinaryIO) -> None:
    """In the way that was asked for. Raises RecordingError, FrameError."""
    header = playback.header
    blocks = Blocks(rows=shown.rows, width=WIDTH, colours=shown.export == "asciicast" or _is_terminal(file))
    match shown.export:
        case "pcapng":
            file.writelines(Capture.of(int(header.started), "").blocks(pieces))
        case "jsonl":
            file.writelines(as_lines(events(pieces)))
        case "asciicast":
            file.writelines(as_cast(blocks.of(events(pieces)), header, IDLE_MAX))
        case None if shown.as_json:
            file.writelines(as_lines(events(pieces)))
        case None if shown.raw:
            file.writelines(map(_dump, events(pieces)))
        case None:
            title = f"session {header.sid} on {printable(header.connection)}, {moment(int(header.started))}\n"
            file.write(title.encode())
            speed = shown.speed if shown.speed is not None else float(_is_terminal(file))
            _show(((block.t_ns, block.text.encode()) for block in blocks.of(events(pieces))), file, speed)


def _show(blocks: Iterable[tuple[int, bytes]], file: BinaryIO, speed: float) -> None:
    """Each in its time."""
    before = 0
    for t_ns, text in blocks:
        if speed:
            time.sleep(min(max(t_ns - before, 0) / 1e9 / speed, IDLE_MAX))
        before = max(before, t_ns)
        file.write(text)
        if speed:
            file.flush()


def _dump(event: Event) -> bytes:
    """A message's bytes, sixteen a line."""
    if not isinstance(event, Said):
        return f"{event.t_ns / 1e9:10.6f}s  #{event.statement} {event.note.is_} {event.note.did}\n".encode()
    arrow = ">" if event.sent else "<"
    lines = [f"{event.t_ns / 1e9:10.6f}s {arrow} {event.kind.decode('latin-1')} {len(event.raw)} bytes\n"]
    for at in range(0, len(event.raw), _DUMP_WIDTH):
        part = event.raw[at : at + _DUMP_WIDTH]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)  # noqa: PLR2004 -- printable ASCII
        lines.append(f"    {at:06x}  {part.hex(' '):<47}  {text}\n")
    return "".join(lines).encode()


def _said(finding: Finding) -> str:
    return f"{'GRAVE' if finding.grave else 'note '}  {finding.name}  {finding.where}: {printable(finding.text)}\n"


def _is_terminal(file: BinaryIO) -> bool:
    return file is sys.stdout.buffer and file.isatty()


@contextlib.contextmanager
def _output(path: Path | None) -> Iterator[BinaryIO]:
    """The file that was named, for its owner only; else standard output."""
    if path is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        yield file
