"""Our own commands as the tour types them, in the demo's folder."""

import shlex
import time
from collections.abc import Callable

from gateway.cli.demo.stage import Stage

CONFIG = ("-c", "gateway.yaml")
PATIENCE_SECONDS = 10.0
PAUSE_SECONDS = 0.3


def typed(*arguments: str) -> str:
    """The line a person would type for it."""
    return f"querywarden {shlex.join(arguments)}"


def until(stage: Stage, arguments: tuple[str, ...], enough: Callable[[str], bool]) -> tuple[int, str]:
    """Run a command until it has said enough, for what becomes true a moment later; its last exit code and output."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        code, said = stage.command(*arguments)
        if enough(said) or time.monotonic() > deadline:
            return code, said
        time.sleep(PAUSE_SECONDS)
