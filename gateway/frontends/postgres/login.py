"""From a startup message to a principal and a connection: who may come in, and with which settings.

The token travels as the cleartext password inside TLS (PostgreSQL 18, §54.2.1, AuthenticationCleartextPassword). What
is wrong with it goes into the record; the client hears the same words for every kind of bad token.
"""

from gateway.core.blanking import clean_words
from gateway.core.errors import GatewayError, ProtocolError, Refused, Unauthenticated
from gateway.core.events import Event, EventType
from gateway.core.principal import Principal
from gateway.frontends.house import House
from gateway.frontends.keeper import Keeper
from gateway.frontends.postgres.texts import failure
from gateway.upstream.stream import Stream
from gateway.wire.postgres import client_messages as wire
from gateway.wire.postgres import server_messages as server
from gateway.wire.postgres.frames import ClientReader, Frame
from gateway.wire.postgres.startup import StartupMessage

AGENT = "agent"
"""the user name that stands for whoever the token says"""
SAID = {"querywarden.purpose": "purpose", "querywarden.ticket": "ticket", "querywarden.reason": "reason"}
NAME_MAX = 63
"""characters of an application name, NAMEDATALEN - 1"""
SAID_MAX = 256
"""characters of a purpose, a ticket, a reason"""
_SETTINGS = {
    name.lower(): name
    for name in (
        "DateStyle", "IntervalStyle", "TimeZone", "extra_float_digits", "bytea_output", "statement_timeout",
        "lock_timeout", "idle_in_transaction_session_timeout", "geqo", "jit", "tcp_user_timeout",
        "client_min_messages",
    )
}  # fmt: skip
"""Settings a client may ask for at startup: none of them changes what a statement means to our reader."""
_READ_MAX = 4096
"""characters of what a client says of itself that are looked at; it says fewer"""
_ENCODINGS = frozenset({"utf8", "utf-8", "unicode", "'utf-8'", "'utf8'", "sql_ascii"})


class TurnedAway(Exception):
    """The client is not let in. `farewell` has been decided on; the record has been written."""

    def __init__(self, farewell: bytes = b"") -> None:
        super().__init__("turned away")
        self.farewell = farewell


async def authenticate(
    house: House, client: Stream, reader: ClientReader, startup: StartupMessage, client_ip: str
) -> tuple[Principal, Keeper]:
    """Ask for the token and verify it. Raises TurnedAway once the reason has been recorded."""
    try:
        check_settings(startup)
        token = await _ask_for_token(client, reader)
        principal = await house.verifier.verify(token)
        if startup.user not in {AGENT, principal.subject}:
            raise Unauthenticated("login.user")
        keeper = house.keepers.get(startup.database)
        if keeper is None:
            raise Refused("login.unknown_connection")
    except ConnectionError:
        await house.note(failed(Unauthenticated("login.gone"), client_ip))
        raise TurnedAway from None
    except GatewayError as error:
        await house.note(failed(error, client_ip, startup.database if startup.database in house.keepers else ""))
        raise TurnedAway(failure(_generic(error), fatal=True)) from None
    return principal, keeper


def check_settings(startup: StartupMessage) -> dict[str, str]:
    """The settings for the upstream connection. Raises Refused for any that is not known to be harmless."""
    settings: dict[str, str] = {}
    for name, value in startup.parameters.items():
        known = _SETTINGS.get(name.lower())
        if known is not None:
            settings[known] = value
        elif name == "client_encoding":
            if value.lower() not in _ENCODINGS:
                raise Refused("startup.encoding", "only UTF8 is spoken here")
        elif name not in {"user", "database", "application_name", *SAID}:
            raise Refused("startup.option", cleaned(name, 63) if name.isidentifier() else "")
    return settings


def welcome(keeper: Keeper, principal: Principal, application: str, pid: int, key: bytes) -> bytes:
    """Everything a client expects after its password: AuthenticationOk up to ReadyForQuery (§54.2.1)."""
    parameters = dict(keeper.parameters)
    parameters["application_name"] = application
    parameters["session_authorization"] = principal.subject
    parameters["client_encoding"] = "UTF8"
    return b"".join(
        [
            server.authentication(server.OK),
            *(server.parameter_status(name, value) for name, value in parameters.items()),
            server.backend_key_data(pid, key),
            server.ready_for_query(b"I"),
        ]
    )


async def _ask_for_token(client: Stream, reader: ClientReader) -> str:
    """AuthenticationCleartextPassword; the frame's length is refused before anything is kept for it."""
    client.write(server.authentication(server.CLEARTEXT))
    await client.drain()
    data = b""
    while True:
        for item in reader.receive_data(data):
            if not isinstance(item, Frame):
                raise ProtocolError("wire.unexpected_message", "COPY data in the place of a password")
            message = wire.parse(item)
            if isinstance(message, wire.Credentials):
                return wire.password_of(message)
            raise ProtocolError("wire.unexpected_message", "a message in the place of a password")
        data = await client.read()
        if not data:
            raise Unauthenticated("login.gone")


def _generic(error: GatewayError) -> GatewayError:
    """What the client is told. Of a bad token: nothing that helps to make a better one."""
    return Unauthenticated("login.failed") if isinstance(error, Unauthenticated) else error


def failed(error: GatewayError, client_ip: str, connection: str = "") -> Event:
    """The record of a client that was not let in: the code, and of what it sent only a name we know."""
    return Event(
        type=EventType.AUTH_FAILED,
        ok=False,
        res=connection,
        data={"code": error.code, "detail": error.detail, "client_ip": client_ip, "channel": "postgres"},
    )


def cleaned(text: str, length: int) -> str:
    """What a client says of itself, fit for records: no control characters, no card numbers, not longer than that.

    Cleaned before it is cut: most digits of a number would be left where the end falls into it.
    """
    clean = clean_words(
        text[:_READ_MAX]
    )  # before and after: a space that cannot be printed parts digits, a mark does not
    plain = "".join(character if character.isprintable() else "?" for character in clean)
    return clean_words(plain)[:length]
