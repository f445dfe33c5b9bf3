"""The demo's folder holds a configuration that the gateway reads, and secrets that only their owner reads."""

from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.cli.demo import place
from gateway.config.load import load
from gateway.core.clock import SystemClock
from gateway.identity.dev import AUDIENCE

PASSWORD = "of-the-gateway"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    released = tmp_path / "released"
    released.mkdir()
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    (released / "policy.pub").write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    (released / "bundle.tar.gz").touch()
    monkeypatch.setattr(place, "bundle_folder", lambda: released)
    made = tmp_path / "demo"
    made.mkdir()
    place.furnish(made, place.Ports(gateway=6432, database=6433, plaintext=6434), PASSWORD, SystemClock())
    return made


def test_the_gateway_reads_the_configuration(folder: Path) -> None:
    settings = load(folder / "gateway.yaml")
    assert [str(listener.address) for listener in settings.listeners.for_postgres] == [
        "127.0.0.1:6432",
        "127.0.0.1:6434",
    ]
    assert settings.connections["payments"].port == 6433
    assert settings.evidence.recording.is_full


def test_without_a_plaintext_port_every_listener_has_tls() -> None:
    document = place.configuration(place.Ports(gateway=6432, database=6433))
    listeners = document["listeners"]
    assert isinstance(listeners, dict)
    assert [("tls" in listener) for listener in listeners["postgres"]] == [True]


def test_no_secret_can_be_read_by_others_and_none_stands_in_the_configuration(folder: Path) -> None:
    keys = [folder / "database-password", folder / "idp" / "issuer.key", folder / place.RECORDING_KEY]
    secrets = [*keys, *(folder / "tokens").iterdir()]
    assert len(secrets) == len(keys) + len(place.AGENTS)
    assert {path.stat().st_mode & 0o777 for path in secrets} == {0o600}
    assert PASSWORD not in (folder / "gateway.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize(("agent", "groups"), place.AGENTS.items())
def test_every_agents_token_is_signed_by_the_published_key_and_says_its_groups(
    folder: Path, agent: str, groups: tuple[str, ...]
) -> None:
    token = (folder / "tokens" / agent).read_text(encoding="ascii").strip()
    keys = jwt.PyJWKSet.from_json((folder / "idp" / "jwks.json").read_text(encoding="utf-8"))
    claims = jwt.decode(token, keys.keys[0], algorithms=["ES256"], audience=AUDIENCE)
    assert (claims["sub"], tuple(claims["groups"])) == (agent, groups)
