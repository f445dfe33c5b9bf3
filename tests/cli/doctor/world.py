"""A configuration over a real database, and the doctor asked about it."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway import cli
from gateway.upstream.target import Target
from tests.support import certificates
from tests.support.bundle import Site, everything_but_clear, write_signed_bundle
from tests.support.gateway import Upstream, write_configuration
from tests.support.identity import Issuer
from tests.support.postgres import HOST, Cluster, password_of


@dataclass(frozen=True)
class Said:
    """What the doctor said, as JSON, and how it ended."""

    code: int
    results: list[dict[str, str]]

    def about(self, probe: str) -> list[tuple[str, str]]:
        """(status, text) of a probe's results."""
        return [(each["status"], each["text"]) for each in self.results if each["probe"] == probe]

    def amiss(self) -> list[tuple[str, str]]:
        """(probe, text) of what is not as it should be, or not reachable."""
        return [(each["probe"], each["text"]) for each in self.results if each["status"] in {"no", "unreachable"}]


def place(
    folder: Path, cluster: Cluster, database: str, *, user: str = "agent_ro", site: Site | None = None, **more: object
) -> Path:
    """A folder with everything `serve` would need; returns the path of `gateway.yaml`."""
    Issuer().write_jwks(folder / "jwks.json")
    certificates.issue(folder)
    write_signed_bundle(folder, site or everything_but_clear("payments"))
    return write_configuration(folder, 6432, cluster, {"payments": Upstream(database, user)}, more)


def target(cluster: Cluster, database: str, user: str = "agent_ro") -> Target:
    """The database as the gateway would connect to it."""
    return Target(
        name="payments",
        host=HOST,
        port=cluster.port,
        database=database,
        user=user,
        password=lambda: password_of(user),
        ca=cluster.tls.ca,
    )


def ask(config: Path, capsys: pytest.CaptureFixture[str]) -> Said:
    """Run `doctor --json`."""
    capsys.readouterr()
    code = cli.main(["doctor", "-c", str(config), "--json"])
    said = capsys.readouterr()
    assert "Traceback" not in said.err
    return Said(code, json.loads(said.out)["results"])
