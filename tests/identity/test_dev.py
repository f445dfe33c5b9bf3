"""The development issuer keeps its key to itself and publishes the other half."""

import ast
import json
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.core.errors import ConfigError
from gateway.identity.dev import DevIssuer
from gateway.identity.keys import parse_key_set
from tests.identity.world import StillClock

GATEWAY = Path(__file__).parents[2] / "gateway"


def test_the_key_file_is_for_its_owner_only_and_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    DevIssuer.create(path, StillClock())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        DevIssuer.create(path, StillClock())


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_a_loaded_issuer_is_the_one_that_was_created(tmp_path: Path, algorithm: str) -> None:
    path = tmp_path / "key.pem"
    created = DevIssuer.create(path, StillClock(), algorithm="RS256" if algorithm == "RS256" else "ES256")
    loaded = DevIssuer.load(path, StillClock())
    assert loaded.algorithm == algorithm
    assert loaded.jwks() == created.jwks()
    assert len(parse_key_set(loaded.jwks()).keys) == 1
    assert "d" not in json.loads(loaded.jwks())["keys"][0]


def test_what_is_no_usable_key_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    keys = (ec.generate_private_key(ec.SECP384R1()), ed25519.Ed25519PrivateKey.generate())
    others = [key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) for key in keys]
    for content in (b"nonsense", *others):
        path.write_bytes(content)
        with pytest.raises(ConfigError, match=r"key\.pem"):
            DevIssuer.load(path, StillClock())


def test_only_the_token_and_demo_commands_know_it() -> None:
    users = {
        str(path.relative_to(GATEWAY))
        for path in GATEWAY.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "gateway.identity.dev"
    }
    assert "cli/token.py" in users
    assert [user for user in users if user != "cli/token.py" and not user.startswith("cli/demo")] == []
