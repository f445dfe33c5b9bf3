"""The tour's second half: the security engineer's and the auditor's commands, on what has just happened."""

from collections.abc import Callable, Iterator

from gateway.cli.demo.scene import Scene
from gateway.cli.demo.stage import Stage

SCENES: tuple[Callable[[Stage], Scene], ...] = ()


def play(stage: Stage) -> Iterator[Scene]:
    """Every scene in order."""
    for scene in SCENES:
        yield scene(stage)
