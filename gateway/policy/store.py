"""Every bundle that was ever active, kept by its sha256 so that any past decision can be computed again."""

import hashlib
import os
from pathlib import Path

FOLDER = "bundles"


class BundleStore:
    """The archives in a data folder. Methods raise OSError."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / FOLDER

    def keep(self, raw: bytes) -> str:
        """Store an archive, durably, unless it is there; its sha256 in hex."""
        digest = hashlib.sha256(raw).hexdigest()
        path = self._path(digest)
        if not path.is_file():
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh = path.with_suffix(f".{os.getpid()}")
            with fresh.open("wb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(path)
            _sync_folder(self._folder)
        return digest

    def read(self, digest: str) -> bytes | None:
        """The archive with this sha256; None when it is not kept. Raises ValueError when it was changed."""
        path = self._path(digest)
        if not path.is_file():  # a pipe, for which a reader would wait, is none
            return None
        raw = path.read_bytes()
        if hashlib.sha256(raw).hexdigest() != digest:
            raise ValueError(f"the bundle kept as {digest} is not that bundle any more")
        return raw

    def _path(self, digest: str) -> Path:
        return self._folder / f"{digest}.tar.gz"


def _sync_folder(folder: Path) -> None:
    """Make a new name in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
