"""When a session has to end: its token expires, it is too old, it has been silent, or its client left a while ago."""

import asyncio
from dataclasses import dataclass, field

from gateway.core.errors import Unavailable
from gateway.frontends.postgres.conversation import Conversation, EndSession


@dataclass(eq=False)
class Deadlines:
    """The timers of one conversation. Start them once, stop them at its end."""

    conversation: Conversation
    _timers: list[asyncio.TimerHandle] = field(default_factory=list)
    _silence: asyncio.TimerHandle | None = None
    _stopped: bool = False

    def start(self) -> None:
        """From now on."""
        conversation = self.conversation
        loop = asyncio.get_running_loop()
        expires_in = conversation.traveller.principal.expires_at - conversation.house.clock.now_ns() / 1e9
        for seconds, code in (
            (expires_in, "session.token_expired"),
            (conversation.keeper.session_seconds, "session.too_old"),
        ):
            ending = EndSession.because(Unavailable(code))
            self._timers.append(loop.call_later(max(seconds, 0), conversation.leave, ending))
        self._listen()
        conversation.client.when_closed(self._gone)

    def stop(self) -> None:
        """Let go of the timers."""
        self._stopped = True
        for timer in self._timers:
            timer.cancel()
        if self._silence is not None:
            self._silence.cancel()

    def _gone(self) -> None:
        """The client has left. What it has asked for may end, but a server that never answers is not waited for."""
        if not self._stopped:
            ending, allowed = EndSession("client.gone"), self.conversation.keeper.gone_seconds
            self._timers.append(asyncio.get_running_loop().call_later(allowed, self.conversation.leave, ending))

    def _listen(self) -> None:
        """End a session that has been silent for its time; else look again when it could have been."""
        conversation, loop = self.conversation, asyncio.get_running_loop()
        allowed = conversation.keeper.idle_seconds
        left = allowed if conversation.working else conversation.quiet_since + allowed - loop.time()
        if left <= 0:
            conversation.leave(EndSession.because(Unavailable("session.idle")))
        else:
            self._silence = loop.call_later(left, self._listen)
