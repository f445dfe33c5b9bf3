"""Faults injected into a gateway at work: nothing goes through undecided, and it lives on or stops with a reason."""

import os
import signal
import socket
import time

import pytest

from tests.chaos.load import SITE, loaded, working
from tests.chaos.streams import client_message, pieces, seeded, stream
from tests.support.bundle import everything_but_clear, write_signed_bundle
from tests.support.gateway import Gateway
from tests.support.postgres import HOST
from tests.support.rawpg import SSL_REQUEST, ConnectionEndedError, RawClient

SEED = int(os.environ.get("QUERYWARDEN_SEED", "4"))
ROUNDS = int(os.environ.get("QUERYWARDEN_FAULTS", "2"))
_HELLO = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
"""how a ClientHello begins"""
_SKEW = 30
"""seconds clocks may differ, unless configured otherwise"""
STREAMS = int(os.environ.get("QUERYWARDEN_STREAMS", "80"))


@pytest.mark.timeout(60 + 20 * ROUNDS)
def test_a_database_that_crashes_is_gone_back_to_when_it_is_there_again() -> None:
    with loaded() as load:
        for _ in range(ROUNDS):
            load.cluster.stop(signal.SIGQUIT)
            load.cluster.start()
            load.await_more()
        assert load.errors


def test_handshakes_that_are_cut_take_nothing_from_the_others() -> None:
    rng = seeded(f"tls {SEED}")
    with loaded() as load:
        for number in range(60 * ROUNDS):
            with socket.create_connection((HOST, load.gateway.port), 5) as sock:
                if number % 2:
                    sock.sendall(SSL_REQUEST)
                    assert sock.recv(1) == b"S"
                sock.sendall((_HELLO + rng.randbytes(500))[: rng.randrange(1, 400)])
        load.await_more()


def test_a_bundle_that_is_replaced_under_load_is_followed_and_a_spoiled_one_is_not() -> None:
    with loaded() as load:
        bundle = load.gateway.folder / "bundle.tar.gz"
        for number in range(ROUNDS):
            write_signed_bundle(load.gateway.folder, everything_but_clear("payments", write_masked=not number % 2))
            _reload(load.gateway)
            load.await_more()
            good = bundle.read_bytes()
            bundle.write_bytes(good[: len(good) // 2])
            _reload(load.gateway)
            load.await_more()
        write_signed_bundle(load.gateway.folder, SITE)
        _reload(load.gateway)
        load.await_more()
        assert not load.errors
    kinds = [leaf.type for leaf in load.kept]
    assert kinds.count("bundle.rejected") >= 1
    assert kinds.count("bundle.activated") >= 2


def _reload(gateway: Gateway) -> None:
    gateway.process.send_signal(signal.SIGHUP)
    time.sleep(1.2)


def test_sessions_end_with_their_token_and_nothing_is_left_open() -> None:
    with loaded(0) as load:
        load.token = lambda: load.gateway.token(exp=int(time.time()) - _SKEW + 4)
        with working(load, 4):
            time.sleep(6)
    closed = [str(leaf.facts()["reason"]) for leaf in load.kept if leaf.type == "session.closed"]
    assert "session.token_expired" in closed
    assert len(closed) == sum(leaf.type == "session.opened" for leaf in load.kept)


@pytest.mark.timeout(60 + STREAMS)
def test_fuzzed_clients_get_nothing_undecided_to_a_real_server() -> None:
    with loaded(2) as load:
        for number in range(STREAMS):
            rng = seeded(f"socket {SEED} {number}")
            data = b"".join(stream(rng, client_message, 40, wrong=0.1, broken=rng.choice((0.0, 0.02))))
            with RawClient(load.gateway.port) as client:
                client.start_tls(load.gateway.tls.ca)
                client.log_in(load.gateway.token(), "payments", "agent")
                _send(client, list(pieces(rng, data)))
        load.await_more()
    reasons = [str(leaf.facts()["reason"]) for leaf in load.kept if leaf.type == "session.closed"]
    assert len(reasons) > STREAMS
    assert "session.stopping" not in reasons, "a session outlived its client"


def _send(client: RawClient, chunks: list[bytes]) -> None:
    """All of it, or as much as the gateway takes; then go."""
    try:
        for chunk in chunks:
            client.send(chunk)
    except (OSError, ConnectionEndedError):
        return
