"""The archive that lies out for OPA servers, by its sha256; whoever has it already can wait for the next one."""

import asyncio
import contextlib
import hashlib
from typing import NamedTuple


class Laid(NamedTuple):
    """What lies there."""

    raw: bytes
    sha256: str


class Shelf:
    """Holds one archive."""

    def __init__(self) -> None:
        self.laid: Laid | None = None
        self._changed = asyncio.Event()

    def put(self, raw: bytes) -> None:
        """Lay an archive out in the place of the one before."""
        self.laid = Laid(raw, hashlib.sha256(raw).hexdigest())
        self._changed.set()
        self._changed = asyncio.Event()

    async def other_than(self, sha256: str, seconds: float) -> Laid | None:
        """What lies there once it is another one than that; None when it still is when the time is over."""
        if self.laid is not None and self.laid.sha256 == sha256:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), seconds)
        if self.laid is None or self.laid.sha256 == sha256:
            return None
        return self.laid
