"""One client from its first byte to its last: arrival, login, conversation; and how all end with the gateway."""

import asyncio
from dataclasses import dataclass, field

from gateway.core.errors import ProtocolError, Unavailable
from gateway.core.ids import new_id, random_bytes
from gateway.core.principal import Principal
from gateway.frontends.accept import Arrival, CancelArrival, ClientStartup, Rejected
from gateway.frontends.house import House
from gateway.frontends.keeper import Keeper
from gateway.frontends.postgres.conversation import Conversation, EndSession
from gateway.frontends.postgres.ending import converse
from gateway.frontends.postgres.login import (
    SAID,
    SAID_MAX,
    TurnedAway,
    authenticate,
    check_settings,
    cleaned,
    failed,
    welcome,
)
from gateway.frontends.postgres.tap import Tap
from gateway.frontends.postgres.texts import failure
from gateway.session import records
from gateway.session.traveller import Traveller
from gateway.sql.application import OWN, stored
from gateway.upstream.stream import Stream
from gateway.wire.postgres.frames import ClientReader

_KEY_BYTES, _LONG_KEY_BYTES = 4, 32
"""a cancel key of protocol 3.0, and one of 3.2"""
_LOOK_SECONDS = 0.02
CLOSING_SECONDS = 15.0


@dataclass(eq=False)
class Reception:
    """Takes in the clients of the listeners. `running` maps cancel keys to sessions."""

    house: House
    running: dict[tuple[int, bytes], Conversation] = field(default_factory=dict, repr=False)
    closing: bool = False
    _entering: set[Stream] = field(default_factory=set)

    async def receive(self, arrival: Arrival) -> None:
        """Serve one arrival to its end. Never raises."""
        match arrival:
            case CancelArrival():
                await self._cancel(arrival)
            case ClientStartup():
                await self._serve(arrival)
            case Rejected():
                if arrival.error is not None:
                    await self.house.note(failed(arrival.error, arrival.peer))

    async def drain(self, grace: float) -> None:
        """End every session: idle ones now, busy ones when their statement has ended, all of them after `grace` s.

        Returns when they are closed and recorded. From now on nobody is let in.
        """
        self.closing = True
        loop = asyncio.get_running_loop()
        deadline = loop.time() + grace
        for stream in tuple(self._entering):
            stream.abort()
        while self.running and loop.time() < deadline + CLOSING_SECONDS:
            for conversation in tuple(self.running.values()):
                if not conversation.busy or loop.time() >= deadline:
                    conversation.leave(EndSession.because(Unavailable("session.stopping")))
            await asyncio.sleep(_LOOK_SECONDS)
        if self.house.tasks:
            await asyncio.wait(set(self.house.tasks), timeout=1.0)

    async def _cancel(self, arrival: CancelArrival) -> None:
        try:
            found = self.running.get((arrival.pid, arrival.key))
            if found is not None:
                await found.cancel()
        finally:
            arrival.hang_up()

    async def _serve(self, arrival: ClientStartup) -> None:
        client, reader = arrival.stream, ClientReader()
        self._entering.add(client)
        try:
            conversation, key = await self._login(arrival, reader)
        except (TurnedAway, EndSession) as ending:
            client.write(ending.farewell)
            await client.close()
            return
        finally:
            self._entering.discard(client)
            arrival.slot.release()
        self.running[key] = conversation
        try:
            await converse(conversation, reader)
        finally:
            del self.running[key]

    async def _login(self, arrival: ClientStartup, reader: ClientReader) -> tuple[Conversation, tuple[int, bytes]]:
        startup, client = arrival.startup, arrival.stream
        if self.closing:
            raise EndSession.because(Unavailable("session.stopping"))
        try:
            async with asyncio.timeout_at(arrival.deadline):
                principal, keeper = await authenticate(self.house, client, reader, startup, arrival.peer)
        except TimeoutError:
            late = ProtocolError("wire.startup_timeout")
            await self.house.note(failed(late, arrival.peer))
            raise TurnedAway(failure(late, fatal=True)) from None
        arrival.slot.release()
        try:
            version = (await keeper.ground()).catalog.server_version
        except Unavailable as error:
            await self.house.note(failed(error, arrival.peer, keeper.name))
            raise EndSession.because(error) from None
        traveller = self._traveller(arrival, principal, keeper, version)
        tap = self._record(traveller)
        if self.closing or not await self.house.note(records.opened(traveller)):
            raise EndSession.because(Unavailable("session.stopping" if self.closing else "evidence.unavailable"))
        return self._begin(arrival, reader, keeper, traveller, tap)

    def _record(self, traveller: Traveller) -> Tap | None:
        """Recording begins with the answer to the login: what came before was a token. Raises EndSession."""
        if self.house.recordings is None:
            return None
        try:
            return Tap(self.house.recordings.begin(traveller.sid, traveller.connection, "postgres"))
        except Unavailable as error:
            raise EndSession.because(error) from None

    def _begin(
        self, arrival: ClientStartup, reader: ClientReader, keeper: Keeper, traveller: Traveller, tap: Tap | None
    ) -> tuple[Conversation, tuple[int, bytes]]:
        """From here on it is a session: it has been opened in the record, and will be closed there."""
        settings = check_settings(arrival.startup) | {OWN: traveller.application}
        conversation = Conversation(self.house, keeper, traveller, arrival.stream, settings)
        conversation.tap = tap
        arrival.stream.copy_to = tap.wrote if tap is not None else None
        key = self._new_key(_LONG_KEY_BYTES if arrival.startup.long_cancel_keys else _KEY_BYTES)
        conversation.pid = key[0]
        reader.open(keeper.message_max)
        arrival.stream.write(welcome(keeper, traveller.principal, traveller.application, *key))
        return conversation, key

    def _new_key(self, size: int) -> tuple[int, bytes]:
        while True:
            key = (int.from_bytes(random_bytes(4), "big") >> 1, random_bytes(size))
            if key not in self.running:
                return key

    def _traveller(self, arrival: ClientStartup, principal: Principal, keeper: Keeper, version: int) -> Traveller:
        parameters = arrival.startup.parameters
        return Traveller(
            sid=new_id(self.house.clock),
            principal=principal,
            connection=keeper.name,
            engine="postgres",
            version=keeper.parameters.get("server_version", ""),
            database=keeper.target.database,
            labels=keeper.labels,
            channel="postgres",
            client_ip=arrival.peer,
            tls=arrival.tls,
            started_ns=self.house.clock.now_ns(),
            application=stored(parameters.get("application_name", ""), version),
            said={short: cleaned(parameters[name], SAID_MAX) for name, short in SAID.items() if name in parameters},
        )
