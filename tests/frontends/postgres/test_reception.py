"""Clients are received to their end, with cancel keys of their own; nobody comes in while the gateway closes."""

import time

import psycopg
import pytest

from gateway.core.events import EventType
from tests.frontends.world import World
from tests.support.rawpg import RawClient, kinds, query, startup


def test_every_session_has_a_key_of_its_own(world: World) -> None:
    with world.raw() as one, world.raw() as other:
        assert one.key != other.key
        assert len(one.key) == 8
        assert len(world.reception.running) == 2
    world.until(lambda: not world.reception.running)


def test_the_place_of_a_client_that_has_logged_in_is_free_for_the_next(world: World) -> None:
    with world.raw(), world.raw():
        world.until(lambda: not world.door.waiting)


def test_a_client_that_is_logging_in_is_let_go_when_the_gateway_closes(world: World) -> None:
    with RawClient(world.port) as client:
        client.start_tls(world.tls.ca)
        client.send(startup({"user": "agent", "database": "payments"}))
        client.read_to("R")
        world.do(world.reception.drain(0.0))
        assert client.read_to_end() == []
        with pytest.raises(psycopg.OperationalError, match="stopping"):
            world.connect()
    world.reception.closing = False


def test_a_client_the_door_sent_away_is_recorded(world: World) -> None:
    with RawClient(world.port) as client:
        client.send(startup({"user": "agent", "database": "payments"}))
        assert client.read_to_end()[0].fields["C"] == "28000"
    world.until(lambda: world.log.of(EventType.AUTH_FAILED))
    assert world.log.of(EventType.AUTH_FAILED)[0].data["code"] == "wire.plaintext"


def test_a_client_that_only_looks_leaves_nothing(world: World) -> None:
    with RawClient(world.port):
        time.sleep(0.05)
    with world.raw() as client:
        assert kinds(client.ask(query("SELECT 1"))) == "TDCZ"
    assert not world.log.of(EventType.AUTH_FAILED)


def test_no_repr_shows_keys_or_what_clients_gave(world: World) -> None:
    token = world.token()
    with world.raw(token=token) as client:
        shown = repr(world.reception) + repr(list(world.reception.running.values()))
        assert token not in shown
        assert repr(client.key[4:]) not in shown
