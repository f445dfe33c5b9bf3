"""The demo's folder: everything a gateway needs, written anew, with three agents' tokens beside it."""

from importlib.resources import files
from pathlib import Path

import msgspec
import yaml

from gateway.cli.demo import certificate
from gateway.cli.demo.payments import ACCOUNT, DATABASE
from gateway.cli.demo.stage import CONNECTION, HOST
from gateway.core.clock import Clock
from gateway.evidence.recording.keys import make_private, public_of
from gateway.identity.dev import AUDIENCE, ISSUER, DevIssuer

TOKEN_SECONDS = 8 * 3600
RECORDING_KEY = "recording"
"""what opens recordings; the gateway has only its `.pub`"""
AGENTS = {
    "support-agent": ("agents",),
    "fraud-agent": ("agents", "pan-readers"),
    "intern-agent": (),
}
"""name → groups, as the demo's site data knows them: one sees masks, one is cleared, one has nothing"""


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """Where things listen on loopback."""

    gateway: int
    database: int
    plaintext: int | None = None
    """a second listener without TLS, for machines whose only psql is the wheel's, which has none"""


def bundle_folder() -> Path:
    """The released demo bundle: inside an installed package, else in the checkout."""
    packaged = Path(str(files("gateway.cli.demo"))) / "bundle"
    return packaged if packaged.is_dir() else Path(__file__).resolve().parents[3] / "bundles" / "demo"


def furnish(folder: Path, ports: Ports, password: str, clock: Clock) -> None:
    """Write certificate, identity provider, tokens, database password, bundle and `gateway.yaml`."""
    certificate.issue(folder / "tls", clock)
    write_tokens(folder, clock)
    write_secret(folder / "database-password", password)
    private = make_private()
    write_secret(folder / RECORDING_KEY, private.decode("ascii"))
    (folder / f"{RECORDING_KEY}.pub").write_bytes(public_of(private))
    released = bundle_folder()
    for name in ("bundle.tar.gz", "policy.pub"):
        (folder / name).write_bytes((released / name).read_bytes())
    text = yaml.safe_dump(configuration(ports), sort_keys=False)
    (folder / "gateway.yaml").write_text("# written by `querywarden demo`\n" + text, encoding="utf-8")


def write_tokens(folder: Path, clock: Clock) -> None:
    """The development issuer's key, its published set, and a token for each agent."""
    for name in ("idp", "tokens"):
        (folder / name).mkdir(mode=0o700)
    issuer = DevIssuer.create(folder / "idp" / "issuer.key", clock)
    (folder / "idp" / "jwks.json").write_bytes(issuer.jwks())
    for agent, groups in AGENTS.items():
        write_secret(folder / "tokens" / agent, issuer.mint(agent, groups, ttl_seconds=TOKEN_SECONDS) + "\n")


def write_secret(path: Path, text: str) -> None:
    """A file that only its owner may read, from its first byte on."""
    path.touch(mode=0o600)
    path.write_text(text, encoding="ascii")


def configuration(ports: Ports) -> dict[str, object]:
    """`gateway.yaml` as a document."""
    listeners: list[dict[str, object]] = [
        {"address": f"{HOST}:{ports.gateway}", "tls": {"cert": "tls/server.pem", "key": "tls/server.key"}}
    ]
    if ports.plaintext:
        listeners.append({"address": f"{HOST}:{ports.plaintext}", "insecure_loopback": True})
    return {
        "version": 1,
        "data_dir": "var",
        "listeners": {"postgres": listeners},
        "identity": {"issuers": [{"issuer": ISSUER, "audience": [AUDIENCE], "jwks_file": "idp/jwks.json"}]},
        "policy": {"bundle": "bundle.tar.gz", "engine": "embedded", "verification_keys": ["policy.pub"]},
        "connections": {
            CONNECTION: {
                "type": "postgres",
                "host": HOST,
                "port": ports.database,
                "database": DATABASE,
                "user": ACCOUNT,
                "password": {"file": "database-password"},
                "tls": {"mode": "disable"},
                "search_path": ["public"],
                "labels": {"environment": "demo", "pci_scope": "cde"},
            }
        },
        "evidence": {"recording": {"recipients": [f"{RECORDING_KEY}.pub"]}},
    }
