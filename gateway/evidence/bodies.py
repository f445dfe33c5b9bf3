"""Reads bodies again and says which are missing or changed: at once, or by other processes while leaves are walked."""

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from enum import IntEnum
from multiprocessing import get_context
from pathlib import Path
from typing import Final, Self

from gateway.evidence.files import read_file

BATCH: Final = 512
FEW: Final = 8192
"""so many are read here: to start another process takes as long"""


class State(IntEnum):
    """What became of a body."""

    WHOLE = 0
    MISSING = 1
    CHANGED = 2


Named = tuple[str, int]
"""hex digest, index of the first leaf that names it"""


def look(folder: str, digests: Sequence[str]) -> bytes:
    """The `State` of each body, a byte each."""
    return bytes(_state(f"{folder}/{digest[:2]}/{digest}", digest) for digest in digests)


def _state(path: str, digest: str) -> int:
    try:
        data = read_file(path)
    except FileNotFoundError:
        return State.MISSING
    except OSError:
        return State.CHANGED
    return State.WHOLE if hashlib.sha256(data).hexdigest() == digest else State.CHANGED


class BodyCheck:
    """Collects what is named and gives what does not fit. Use as a context: other processes end with it."""

    def __init__(self, folder: Path, workers: int = 0) -> None:
        self._folder = str(folder)
        self._pool = ProcessPoolExecutor(workers, get_context("spawn")) if workers else None
        self._collected: list[Named] = []
        self._sent = 0
        self._asked: list[tuple[list[Named], Callable[[], bytes]]] = []

    def __enter__(self) -> Self:
        """Nothing to do."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let the other processes go."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def ask(self, named: Sequence[Named]) -> None:
        """Have these looked at."""
        self._collected.extend(named)
        if len(self._collected) >= BATCH:
            self._send()

    def bad(self) -> list[tuple[Named, State]]:
        """All that are not whole, in the order they were asked about."""
        self._send()
        asked, self._asked = self._asked, []
        return [
            (named, State(state))
            for batch, answer in asked
            for named, state in zip(batch, answer(), strict=True)
            if state
        ]

    def _send(self) -> None:
        batch, self._collected = self._collected, []
        if not batch:
            return
        digests = [digest for digest, _ in batch]
        self._sent += len(batch)
        if self._pool is not None and self._sent > FEW and len(batch) >= BATCH:
            future: Future[bytes] = self._pool.submit(look, self._folder, digests)
            self._asked.append((batch, future.result))
        else:
            states = look(self._folder, digests)
            self._asked += [(batch, lambda: states)] if any(states) else []
