"""The checkpoints that witnesses have cosigned, kept beside the log: for each witness the last one, as a whole note.

data_dir/log/<epoch>/cosigned/<name of the witness's key>

It is the client's memory of how far each witness has seen the log, and the evidence itself: checkpoints follow each
other faster than witnesses are asked, so the newest checkpoint is rarely the one that was cosigned.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from gateway.evidence.cosign import Cosigned, WitnessKey, open_cosigned, with_lines
from gateway.evidence.files import put_file, read_file
from gateway.evidence.note import MAX_NOTE, NoteError, Verifier, split_note

FOLDER: Final = "cosigned"


def cosigned_file(prefix: Path, key: WitnessKey) -> Path:
    """Where the last checkpoint lies that this witness cosigned."""
    return prefix / FOLDER / key.file_name


def keep_cosigned(prefix: Path, key: WitnessKey, note: bytes) -> None:
    """Put it there, durable. Raises OSError."""
    put_file(cosigned_file(prefix, key), note, sync=True)


def last_cosigned(prefix: Path, log: Verifier, key: WitnessKey) -> Cosigned | None:
    """The last one of a witness; None when there is none that holds. Raises OSError."""
    try:
        found = open_cosigned(_read(cosigned_file(prefix, key)), log, [key])
    except (FileNotFoundError, NoteError):  # asked from nothing, the witness says itself how far it has seen
        return None
    return found if found.by else None


def cosigned_notes(prefix: Path) -> Iterator[tuple[str, bytes]]:
    """(file name, note) of everything that is kept, one note for each text. Nothing is verified. Raises OSError.

    The checkpoint itself is the first of them: it carries cosignatures as long as it is the one they are for.
    """
    found: dict[str, tuple[str, bytes]] = {}
    for path in (prefix / "checkpoint", *sorted((prefix / FOLDER).glob("[!.]*"))):
        try:
            note = _read(path)
            text = split_note(note)[0]
        except FileNotFoundError:
            continue
        except NoteError:
            yield path.name, b""
            continue
        name, before = found.get(text, (path.name, b""))
        try:
            found[text] = (name, with_lines(note, split_note(before)[1]) if before else note)
        except NoteError:
            yield path.name, note
    yield from found.values()


def best_cosigned(prefix: Path, log: Verifier, size: int, keys: Sequence[WitnessKey] | None = None) -> bytes | None:
    """Of the cosigned checkpoints with at least `size` leaves the one with the most cosignatures; None without one.

    With `keys` only good cosignatures of these count, without any line that is not of the log's own key. Of equals the
    smallest tree is taken: it was cosigned first. Raises OSError.
    """
    best: tuple[int, int] = (0, 0)
    chosen = None
    for _, note in cosigned_notes(prefix):
        try:
            found = open_cosigned(note, log, keys or ())
        except NoteError:
            continue
        rank = (len(found.by) if keys is not None else found.others, -found.checkpoint.size)
        if rank[0] and found.checkpoint.size >= size and (chosen is None or rank > best):
            best, chosen = rank, note
    return chosen


def _read(path: Path) -> bytes:
    return read_file(path, MAX_NOTE)
