"""A folder with everything a gateway needs, and how agents and operators reach it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import psycopg

from gateway import app, cli
from gateway.config.load import load
from gateway.core.clock import SystemClock
from gateway.evidence.view import open_views
from tests.support import certificates
from tests.support.bundle import Site, signed_bundle, write_signed_bundle
from tests.support.gateway import Upstream, write_configuration
from tests.support.identity import Issuer
from tests.support.postgres import HOST, Cluster


class Place:
    """A folder with everything a gateway needs, and how an agent connects to it."""

    def __init__(self, folder: Path, cluster: Cluster, database: str, port: int) -> None:
        self.folder = folder
        self.port = port
        self.issuer = Issuer()
        self.issuer.write_jwks(folder / "jwks.json")
        self.tls = certificates.issue(folder)
        self.http = 0
        self._cluster = cluster
        self._upstream = {"payments": Upstream(database)}
        self.config = self._written({}, None)

    def configure(
        self, policy: dict[str, object], http: int | None = None, evidence: dict[str, object] | None = None
    ) -> None:
        """Other settings of policy and evidence, and an http listener."""
        usual = {"bundle": "bundle.tar.gz", "verification_keys": ["policy.pub"]}
        self.http = http or 0
        more: dict[str, object] = {"policy": {**usual, **policy}}
        self.config = self._written(more if evidence is None else {**more, "evidence": evidence}, http)

    def _written(self, more: dict[str, object], http: int | None) -> Path:
        return write_configuration(self.folder, self.port, self._cluster, self._upstream, more, http=http)

    def lay(self, site: Site) -> None:
        write_signed_bundle(self.folder, site)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[app.Gateway]:
        async with app.running(load(self.config), SystemClock()) as gateway:
            yield gateway

    async def connect(self) -> psycopg.AsyncConnection:
        return await psycopg.AsyncConnection.connect(
            host=HOST, port=self.port, dbname="payments", user="agent", password=self.issuer.token(),
            sslmode="verify-full", sslrootcert=str(self.tls.ca), autocommit=True,
        )  # fmt: skip

    def bundle(self, site: Site, name: str = "next.tar.gz", **claims: int) -> Path:
        """An archive beside the configured one."""
        path = self.folder / name
        path.write_bytes(signed_bundle(self.folder, site, **claims))
        return path

    async def order(self, *arguments: str) -> int:
        """A command of an operator; its exit code."""
        return await asyncio.to_thread(cli.main, ["policy", *arguments, "-c", str(self.config)])

    def leaves(self, kind: str) -> list[dict[str, object]]:
        """Those of one type, in order."""
        found = [msgspec.json.decode(leaf) for leaf in self.types()]
        return [leaf for leaf in found if leaf["type"] == kind]

    async def ask(self, sql: str) -> list[tuple[object, ...]]:
        async with await self.connect() as connection:
            return await (await connection.execute(sql.encode())).fetchall()

    def types(self) -> list[bytes]:
        """The leaves of the log, in order."""
        return [leaf for view in reversed(list(open_views(self.folder / "var"))) for _, leaf in view.upwards(0)]
