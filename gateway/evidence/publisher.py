"""Lays the tree out as files and signs its head: tiles, entry bundles, bodies, checkpoint. Runs in a thread of its own.

Only the signed head is synced one by one. Everything else can be derived again from the write-ahead log, whose segments
are removed after one sync of the whole file system has made the files durable.
"""

import os
from pathlib import Path

from gateway.evidence.cosign import with_lines
from gateway.evidence.files import put_file, read_file
from gateway.evidence.head import SignedHead
from gateway.evidence.note import Checkpoint, NoteError, Signer, open_note
from gateway.evidence.objects import Objects
from gateway.evidence.tree import Publication


class Publisher:
    """Writes publications of one log, each at least as large as the one before."""

    def __init__(self, prefix: Path, objects: Objects, signer: Signer, head: SignedHead) -> None:
        self._prefix = prefix
        self._objects = objects
        self._signer = signer
        self._head = head
        self._checked = False
        """the first publication after a start finds files that a crash may have left empty"""

    def publish(self, publication: Publication, droppable: list[Path]) -> None:
        """Write the files, then sign. Raises OSError and HeadError; nothing is signed then."""
        for digest, body in publication.bodies:
            self._objects.put(digest, body, check=not self._checked)
        for name, data in (*publication.full, *publication.partial):
            self._put(name, data)
        for name, _ in publication.full:
            _remove_folder(self._prefix / f"{name}.p")
        self._head.advance(publication.head)
        checkpoint = Checkpoint(self._signer.verifier.name, *publication.head)
        if self._on_disk() != checkpoint.text():  # else it may carry cosignatures already
            put_file(self._prefix / "checkpoint", self._signer.sign(checkpoint.text()))
        self._checked = True
        if droppable:
            os.sync()
            for path in droppable:
                path.unlink(missing_ok=True)

    def endorse(self, text: str, lines: list[str]) -> bool:
        """Add cosignatures to the checkpoint, unless another one has taken its place by now. Raises OSError."""
        if self._on_disk() != text:
            return False
        path = self._prefix / "checkpoint"
        put_file(path, with_lines(read_file(path), lines))
        return True

    def _on_disk(self) -> str:
        """The text of the checkpoint that lies there, if our signature on it is good; else nothing."""
        try:
            return open_note(read_file(self._prefix / "checkpoint"), [self._signer.verifier]).text
        except (FileNotFoundError, NoteError):
            return ""

    def _put(self, name: str, data: bytes) -> None:
        path = self._prefix / name
        if not self._checked and path.is_file() and read_file(path) == data:
            return
        put_file(path, data)


def _remove_folder(folder: Path) -> None:
    """Remove the partial tiles of a tile that is full now."""
    if folder.is_dir():
        for path in folder.iterdir():
            path.unlink(missing_ok=True)
        folder.rmdir()
