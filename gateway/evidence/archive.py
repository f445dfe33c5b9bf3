"""Entries that are no longer hot lie elsewhere: moved as they are, found by whoever reads the log, held by its hashes.

    data_dir/log/<epoch>/archived    where: the folder that has `tile/entries/…` of this epoch

An entry bundle that is full never changes, so it is copied, made durable and only then removed. A reader looks here
first and there then, and finds it at any moment. Nothing is recorded in the log: nothing of it is gone.
"""

from pathlib import Path

from gateway.evidence.files import create_file, make_folder, put_file, read_file
from gateway.evidence.head import epochs_with_head
from gateway.evidence.reader import ARCHIVED, LogReader, open_epochs
from gateway.evidence.tiles import WIDTH, bundle_path
from gateway.evidence.view import View

__all__ = ["ARCHIVED", "archive_of", "move_older"]


def move_older(data_dir: Path, place: Path, before_ns: int) -> int:
    """Move the entries of every leaf older than that to a folder; how many leaves. Raises OSError, ValueError."""
    if not epochs_with_head(data_dir / "keys"):
        return 0
    return sum(_move(reader, place, before_ns) for reader in open_epochs(data_dir))


def _move(reader: LogReader, place: Path, before_ns: int) -> int:
    view = View(reader)
    first, last = view.begin // WIDTH, min(view.older_than(before_ns), view.signed) // WIDTH
    here = [number for number in range(first, last) if (reader.prefix / bundle_path(number)).exists()]
    if not here:
        return 0
    folder = archive_of(reader, place)
    make_folder(folder)
    put_file(reader.prefix / ARCHIVED, f"{folder}\n".encode(), sync=True)
    for number in here:
        source, target = reader.prefix / bundle_path(number), folder / bundle_path(number)
        data = read_file(source)
        make_folder(target.parent)
        if target.exists():
            put_file(target, data, sync=True)
        else:
            create_file(target, data)
        source.unlink()
    return len(here) * WIDTH


def archive_of(reader: LogReader, place: Path) -> Path:
    """Where this epoch's entries go: a folder of the log's name, so that several logs may share a place."""
    return reader.archive or place.absolute() / reader.verifier.name.replace("/", "_")
