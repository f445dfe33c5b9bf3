"""Bodies beside the log: files named by their SHA-256. The same body is stored once, however many leaves name it."""

import hashlib
from pathlib import Path

from gateway.evidence.files import put_file, read_file


class Objects:
    """A folder of bodies."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, digest: str) -> Path:
        """Where the body with this hex digest lies."""
        return Path(f"{self._folder}/{digest[:2]}/{digest}")  # twice as fast as joining: a verifier asks for each body

    def put(self, digest: str, data: bytes, *, check: bool = False) -> None:
        """Store a body. With `check` one that is there already is read, and replaced when it is not whole."""
        path = self.path(digest)
        if path.exists() and not (check and self._read(path) != data):
            return
        put_file(path, data)

    def read(self, digest: str) -> bytes | None:
        """A body that has the digest it is named by; None when it is missing. Raises ValueError when it was changed."""
        data = self._read(self.path(digest))
        if data is None:
            return None
        if hashlib.sha256(data).hexdigest() != digest:
            raise ValueError(f"the body {digest} was changed")
        return data

    @staticmethod
    def _read(path: Path) -> bytes | None:
        try:
            return read_file(path)
        except FileNotFoundError:
            return None
