"""A recorded session is what a relay in front of the client saw, byte for byte, but for what may not be kept."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import psycopg
import pytest

from gateway.cli.demo.cluster import free_port
from gateway.evidence.recording.frames import Piece, What
from gateway.evidence.recording.reader import Playback
from tests.support.bundle import everything_but_clear
from tests.support.gateway import Gateway, Upstream, running_gateway
from tests.support.postgres import HOST, Cluster
from tests.support.recorded import Keys, make_keys, played, stream, when_closed
from tests.support.relay import Relay, running_relay

AUTHENTICATED = b"R\x00\x00\x00\x08\x00\x00\x00\x00"
CARD = "4111111111111111"


@dataclass
class Stage:
    """A gateway that records, and a relay before its port for plaintext."""

    gateway: Gateway
    relay: Relay
    keys: Keys

    def conninfo(self, application: str, connection: str = "payments", groups: Sequence[str] = ("agents",)) -> str:
        return psycopg.conninfo.make_conninfo(
            "", host=HOST, port=str(self.relay.port), dbname=connection, user="agent", sslmode="disable",
            password=self.gateway.token(groups=groups), application_name=application,
        )  # fmt: skip

    def played(self, application: str) -> tuple[Playback, list[Piece]]:
        """The last session of an application, once it is over."""
        return played(self.gateway.data, when_closed(self.gateway.data, application), self.keys)

    def carried(self, number: int = -1) -> tuple[bytes, bytes]:
        """What the relay saw of a connection behind its login: sent by the client, and received."""
        sent, received = (bytes(each) for each in self.relay.heard[number])
        startup = int.from_bytes(sent[:4], "big")
        password = int.from_bytes(sent[startup + 1 : startup + 5], "big") + 1
        return sent[startup + password :], received[received.index(AUTHENTICATED) :]


@pytest.fixture(scope="module")
def stage(cluster: Cluster, payments_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    keys = make_keys(tmp_path_factory.mktemp("recording"))
    database, port = cluster.create_database(payments_template), free_port()
    more = {"evidence": {"recording": {"recipients": [str(keys.public)]}}}
    connections = {"payments": Upstream(database, "agent_rw")}
    site = everything_but_clear("payments")
    with (
        running_gateway(cluster, connections, site, more=more, plain=port) as gateway,
        running_relay(port, listens=True) as relay,
    ):
        yield Stage(gateway, relay, keys)
    cluster.drop_database(database)


def without_cancel_key(received: bytes) -> bytes:
    """As a recording has it."""
    return re.sub(
        rb"(K\x00\x00\x00\x0c.{4}).{4}", lambda found: found[1] + bytes(4), received, count=1, flags=re.DOTALL
    )


def test_what_psycopg_sent_and_received_is_what_is_played(stage: Stage) -> None:
    with psycopg.connect(stage.conninfo("plain"), autocommit=True) as connection:
        for binary in (False, True):
            cursor = connection.cursor(binary=binary)
            cursor.execute("SELECT id, name, created_at FROM customers WHERE id < %b OR name = %s", (3, "Dana"))
            assert len(cursor.fetchall()) == 3
        connection.execute("SELECT pan, brand FROM cards")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("DROP TABLE notes")
        with connection.cursor().copy("COPY customers(id, name) TO STDOUT") as copy:
            assert len(list(copy)) == 4
        with connection.transaction(), connection.cursor("walk") as cursor:
            cursor.execute("SELECT g, repeat('x', 1000) FROM generate_series(1, 2000) g")
            assert sum(1 for _ in cursor) == 2000
        with connection.cursor().copy("COPY notes(body) FROM STDIN") as copy:
            copy.write("hello\nworld\n")
    playback, pieces = stage.played("plain")
    sent, received = stage.carried()
    assert stream(pieces, What.RECEIVED) == without_cancel_key(received)
    assert stream(pieces, What.SENT) == sent
    assert playback.trouble is None
    assert playback.totals is not None
    assert (playback.totals.sent, playback.totals.received) == (len(sent), len(received))
