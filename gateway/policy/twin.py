"""Two engines for one bundle: one decides, the other is asked the same now and then. When they differ, it is denied."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from gateway.policy.engine import Engine, EngineError

ALL = 100


@dataclass
class Comparison:
    """What came of asking twice, since the gateway started."""

    asked: int = 0
    differed: int = 0
    unanswered: int = 0
    """times the second engine gave no answer: nothing was compared, and the first one's stood"""
    alarm: Callable[[str], None] = field(default=lambda _: None, compare=False)
    """told of each difference: names of the engines, sha256 of the document"""


@dataclass(eq=False)
class Twin:
    """An engine that is checked by another on some percent of what it evaluates, evenly spread."""

    decides: Engine
    checks: Engine
    percent: int
    found: Comparison
    _due: int = field(default=0, repr=False)

    @property
    def name(self) -> str:
        """Of the one that decides."""
        return self.decides.name

    @property
    def remembers(self) -> bool:
        """As the one that decides."""
        return self.decides.remembers

    async def evaluate(self, document: bytes) -> bytes:
        """The answer of the one that decides. Raises EngineError, also when the other one answers differently."""
        answer = await self.decides.evaluate(document)
        self._due += self.percent
        if self._due < ALL:
            return answer
        self._due -= ALL
        self.found.asked += 1
        try:
            other = await self.checks.evaluate(document)
        except EngineError:
            self.found.unanswered += 1
            return answer
        if other != answer:
            self.found.differed += 1
            self.found.alarm(f"{self.decides.name}, {self.checks.name}, input {hashlib.sha256(document).hexdigest()}")
            raise EngineError("policy.engines_differ", f"{self.decides.name} and {self.checks.name}")
        return answer

    async def check(self) -> None:
        """Raise EngineError unless the one that decides could."""
        await self.decides.check()

    def close(self) -> None:
        """Let go of both."""
        self.decides.close()
        self.checks.close()
