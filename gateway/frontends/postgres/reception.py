"""One client from its first byte to its last: arrival, login, conversation, and the record that closes it."""

import asyncio
from dataclasses import dataclass, field

from gateway.core.errors import GatewayError, Unavailable
from gateway.core.ids import new_id, random_bytes
from gateway.core.principal import Principal
from gateway.frontends.accept import CancelArrival, ClientStartup
from gateway.frontends.house import House
from gateway.frontends.keeper import Keeper
from gateway.frontends.postgres.client import listen
from gateway.frontends.postgres.conversation import Conversation, EndSession
from gateway.frontends.postgres.login import SAID, TurnedAway, authenticate, check_settings, welcome
from gateway.frontends.postgres.texts import failure
from gateway.session import records
from gateway.session.task import Settled
from gateway.session.traveller import Traveller
from gateway.wire.postgres.frames import ClientReader

LOGIN_SECONDS = 30.0
_KEY_BYTES = 4
"""a cancel key of protocol 3.0; longer ones need 3.2"""


@dataclass(eq=False)
class Reception:
    """Takes in the clients of one listener. `running` maps cancel keys to sessions."""

    house: House
    running: dict[tuple[int, bytes], Conversation] = field(default_factory=dict)

    async def receive(self, arrival: ClientStartup | CancelArrival) -> None:
        """Serve one arrival to its end. Never raises."""
        match arrival:
            case CancelArrival():
                found = self.running.get((arrival.pid, arrival.key))
                if found is not None and found.link is not None:
                    await found.keeper.cancel(found.link)
            case ClientStartup():
                await self._serve(arrival)

    async def drain(self, grace: float) -> None:
        """Stop: every session ends with 57P01; whoever takes longer than `grace` seconds to leave is left behind."""
        for conversation in list(self.running.values()):
            conversation.leave(EndSession.because(Unavailable("session.stopping")))
        if self.house.tasks:
            await asyncio.wait(self.house.tasks, timeout=grace)

    async def _serve(self, arrival: ClientStartup) -> None:
        client, reader = arrival.stream, ClientReader(self.house.message_max)
        try:
            async with asyncio.timeout(LOGIN_SECONDS):
                conversation, key = await self._login(arrival, reader)
        except TimeoutError:
            client.abort()
            return
        except (TurnedAway, EndSession) as ending:
            client.write(ending.farewell)
            await client.close()
            return
        self.running[key] = conversation
        try:
            await converse(conversation, reader)
        finally:
            del self.running[key]

    async def _login(self, arrival: ClientStartup, reader: ClientReader) -> tuple[Conversation, tuple[int, bytes]]:
        startup, client = arrival.startup, arrival.stream
        principal, keeper = await authenticate(self.house, client, reader, startup, arrival.peer)
        try:
            await keeper.ground()
        except Unavailable as error:
            raise EndSession.because(error) from None
        traveller = self._traveller(arrival, principal, keeper)
        if not await self.house.note(records.opened(traveller)):
            raise EndSession.because(Unavailable("evidence.unavailable"))
        conversation = Conversation(self.house, keeper, traveller, client, check_settings(startup))
        key = self._new_key()
        reader.open()
        client.write(welcome(keeper, principal, traveller.application, *key))
        await client.drain()
        return conversation, key

    def _new_key(self) -> tuple[int, bytes]:
        while True:
            key = (int.from_bytes(random_bytes(4), "big") >> 1, random_bytes(_KEY_BYTES))
            if key not in self.running:
                return key

    def _traveller(self, arrival: ClientStartup, principal: Principal, keeper: Keeper) -> Traveller:
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
            application=parameters.get("application_name", ""),
            said={short: parameters[name] for name, short in SAID.items() if name in parameters},
        )


async def converse(conversation: Conversation, reader: ClientReader) -> None:
    """Run a session until the client, the server, the token or an error ends it; then close everything and record it."""
    house = conversation.house
    left = conversation.traveller.principal.expires_at - house.clock.now_ns() / 1e9
    expiry = asyncio.get_running_loop().call_later(
        max(left, 0), conversation.leave, EndSession.because(Unavailable("session.token_expired"))
    )
    listening = asyncio.ensure_future(_listen(conversation, reader))
    try:
        await asyncio.wait({listening, conversation.ended}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        expiry.cancel()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await _close(conversation)


async def _listen(conversation: Conversation, reader: ClientReader) -> None:
    try:
        await listen(conversation, reader)
    except EndSession as ending:
        conversation.leave(ending)
    except GatewayError as error:
        await conversation.house.note(records.message_refused(conversation.traveller, error.code, error.detail))
        conversation.leave(EndSession(error.code, failure(error, fatal=True)))


async def _close(conversation: Conversation) -> None:
    """Say good-bye to both sides; what the server still owed is recorded as lost."""
    ending = conversation.ended.result() if conversation.ended.done() else EndSession("gateway.stopped")
    if conversation.link is not None:
        busy = not conversation.exchange.idle
        if busy:
            await conversation.keeper.cancel(conversation.link)
        conversation.link.close()
    for entry in conversation.exchange.abandon():
        for task in entry.tasks[entry.at :]:
            await conversation.finish(task, Settled.LOST)
    counts = {"statements": conversation.statements, "denied": conversation.denied}
    await conversation.house.note(records.closed(conversation.traveller, ending.reason, counts))
    if ending.farewell:
        conversation.client.write(ending.farewell)
    await conversation.client.close()
