"""The search index of a gateway that runs, kept up to its log by a process of its own, at the lowest priority.

Nothing depends on it: what the index does not have yet, the next search takes in.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from gateway.evidence.recorder import Recorder

LOOK_EVERY_SECONDS: Final = 300.0
LOWEST: Final = 19
SAID: Final = 500
"""characters of what the process says that an operator is told"""
Say = Callable[..., object]


class Indexing:
    """One gateway's."""

    def __init__(self, recorder: Recorder, data_dir: Path, say: Say, command: Sequence[str] = ()) -> None:
        self._recorder = recorder
        self._say = say
        own = (sys.executable, "-m", "gateway", "audit", "index", "--data", str(data_dir.resolve()))
        self._command = tuple(command) or own
        self._done = 0

    async def watch(self) -> None:
        """Look every five minutes whether there is something new."""
        while True:
            await asyncio.sleep(LOOK_EVERY_SECONDS)
            size = self._recorder.size
            if size != self._done:
                await self.build()
                self._done = size

    async def build(self) -> None:
        """Bring the index up to the log."""
        quiet = asyncio.subprocess.DEVNULL
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command, stdin=quiet, stdout=quiet, stderr=asyncio.subprocess.PIPE
            )
        except OSError as error:
            self._say("index.not_built", cause=error.strerror or type(error).__name__)
            return
        try:
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, process.pid, LOWEST)
            _, said = await process.communicate()
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            raise
        if process.returncode:
            self._say("index.not_built", cause=said.decode("utf-8", "replace").strip()[-SAID:])
