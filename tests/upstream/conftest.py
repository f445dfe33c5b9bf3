"""Targets on the tests' own PostgreSQL."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from gateway.upstream.target import ChannelBinding, Target, TlsMode
from tests.support.loops import BOTH
from tests.support.postgres import Cluster, password_of

MakeTarget = Callable[..., Target]


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Everything here holds on both event loops."""
    return BOTH


@pytest.fixture
def target(cluster: Cluster) -> MakeTarget:
    """`target(user=…, tls=…, …)`: a target on the cluster, verified TLS and agent_ro by default."""

    def make(  # noqa: PLR0913 -- the fields that tests change
        *,
        user: str = "agent_ro",
        secret: str | None = None,
        tls: TlsMode = "verify-full",
        ca: Path | None = cluster.tls.ca,
        host: str = "127.0.0.1",
        port: int = cluster.port,
        database: str = "postgres",
        search_path: tuple[str, ...] = ("public",),
        channel_binding: ChannelBinding = "prefer",
    ) -> Target:
        def reveal() -> str:
            return password_of(user) if secret is None else secret

        return Target(
            name="payments",
            host=host,
            port=port,
            database=database,
            user=user,
            password=reveal,
            tls=tls,
            ca=ca,
            search_path=search_path,
            channel_binding=channel_binding,
        )

    return make
