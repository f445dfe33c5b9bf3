"""A real `opa run` in the loop: loaded from the gateway's own endpoint, verified by OPA, equal to the other engines."""

import asyncio
import os
from collections.abc import Callable, Iterator

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.cli.demo.cluster import free_port
from gateway.evidence.view import open_views
from gateway.policy.keys import signing_key
from tests.support.bundle import bundle_key, everything_but_clear, write_signed_bundle
from tests.support.gateway import Gateway, Upstream, running_gateway
from tests.support.postgres import Cluster
from tests.support.waiting import http_get, until
from tools.equality import compare
from tools.opa_server import OpaServer, opa_server

INPUTS = int(os.environ.get("QUERYWARDEN_EQUALITY_INPUTS", "240"))


def test_three_engines_give_equal_answers_and_nothing_is_let_through_that_must_not_be() -> None:
    count = asyncio.run(compare(INPUTS, seed=7))
    assert count.fine, count.report()
    assert count["vectors"] >= 200
    assert count["inputs"] == INPUTS
    assert count["valid"] > INPUTS // 5
    assert count["invalid"] > INPUTS // 5


def stranger() -> bytes:
    """A key that goes by the name of the one that signed."""
    made = ec.generate_private_key(ec.SECP256R1())
    return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class Loop:
    """A gateway whose decisions are made by an OPA that it feeds."""

    def __init__(self, gateway: Gateway, server: OpaServer) -> None:
        self.gateway = gateway
        self.server = server

    def lay(self, **access: object) -> None:
        write_signed_bundle(self.gateway.folder, everything_but_clear("payments", **access))


@pytest.fixture
def loop(cluster: Cluster, database: Callable[..., str]) -> Iterator[Loop]:
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    with opa_server(endpoint, bundle_key().public) as server:
        policy = {
            "bundle": "bundle.tar.gz",
            "engine": "opa",
            "opa": {"url": server.url, "timeout": "10s"},
            "second_engine": {"engine": "embedded", "percent": 100},
            "verification_keys": ["policy.pub"],
        }
        with running_gateway(
            cluster,
            {"payments": Upstream(database())},
            everything_but_clear("payments"),
            more={"policy": policy},
            http=port,
        ) as gateway:
            until(lambda: http_get(f"{endpoint}/readyz")[0] == 200)
            yield Loop(gateway, server)


def test_an_opa_that_loads_its_bundle_from_the_gateway_decides_and_the_record_names_it(loop: Loop) -> None:
    with loop.gateway.connect("payments") as agent:
        assert agent.execute("SELECT pan FROM cards ORDER BY id").fetchone() == ("************1111",)
    leaves = [leaf for view in open_views(loop.gateway.data) for _, leaf in view.upwards(0)]
    decided = [leaf for leaf in leaves if b'"type":"statement.decided"' in leaf]
    assert decided
    assert all(b'"engine":"opa/1.' in leaf for leaf in decided)


def test_when_opa_is_gone_everything_is_denied_at_once_and_so_it_is_while_it_has_another_bundle(loop: Loop) -> None:
    with loop.gateway.connect("payments") as agent:
        assert agent.execute("SELECT 1 AS a").fetchone() == (1,)
        loop.server.stop()
        with pytest.raises(psycopg.errors.CannotConnectNow, match="OPA server cannot be reached"):
            agent.execute("SELECT 1 AS a")


def test_a_new_bundle_reaches_opa_and_the_gateway_without_a_denial_in_between(loop: Loop) -> None:
    with loop.gateway.connect("payments") as agent:
        for number in range(3):
            loop.lay(masks={"pan": "null" if number % 2 == 0 else "last4", "cvv": "null"})
            wanted = None if number % 2 == 0 else "************1111"

            def shown(wanted: str | None = wanted) -> bool:
                row = agent.execute("SELECT pan FROM cards ORDER BY id", prepare=False).fetchone()
                return row == (wanted,)

            until(shown)


def test_opa_itself_refuses_a_bundle_that_none_of_its_keys_signed_and_so_nothing_is_let_through(
    cluster: Cluster, database: Callable[..., str]
) -> None:
    port = free_port()
    endpoint = f"http://127.0.0.1:{port}"
    with opa_server(endpoint, signing_key(stranger(), keyid="tests").public) as server:
        policy = {
            "bundle": "bundle.tar.gz",
            "engine": "opa",
            "opa": {"url": server.url, "timeout": "10s"},
            "verification_keys": ["policy.pub"],
        }
        upstream = {"payments": Upstream(database())}
        site = everything_but_clear("payments")
        with running_gateway(cluster, upstream, site, more={"policy": policy}, http=port) as gateway:
            until(lambda: "Bundle load failed" in server.said)
            assert http_get(f"{endpoint}/readyz")[2] == b'{"ready": false, "missing": ["policy.other_bundle"]}'
            with gateway.connect("payments") as agent, pytest.raises(psycopg.errors.CannotConnectNow, match="another"):
                agent.execute("SELECT 1 AS a")
