"""Identity settings become a verifier; keys come from one place that can be trusted."""

import json
from pathlib import Path

import pytest

from gateway.config.issuers import build_verifier, key_source
from gateway.config.settings import Issuer as Settings
from gateway.core.clock import SystemClock
from gateway.core.errors import Unauthenticated
from gateway.identity.jwks import FromAddress, FromDiscovery, FromFile
from tests.config.world import GOOD, changed, furnish, read, told
from tests.support.identity import Issuer, new_key

ISSUER = "identity.issuers.0"


async def test_the_verifier_takes_tokens_of_the_configured_issuer_only(tmp_path: Path) -> None:
    furnish(tmp_path)
    ours, other = Issuer(), Issuer()
    ours.write_jwks(tmp_path / "jwks.json")
    found = read(tmp_path, changed(f"{ISSUER}.claims", {"groups": "roles", "keep": ["team"]})).settings
    assert found is not None
    verifier = build_verifier(found.identity, SystemClock())
    principal = await verifier.verify(ours.token("agent-7", roles=["agents"], team="fraud", secret="x"))
    assert (principal.subject, principal.groups, principal.claims) == ("agent-7", ("agents",), {"team": "fraud"})
    with pytest.raises(Unauthenticated):
        await verifier.verify(other.token())


async def test_keys_that_cannot_be_read_are_noted_without_the_token(tmp_path: Path) -> None:
    furnish(tmp_path)
    found = read(tmp_path, GOOD).settings
    assert found is not None
    (tmp_path / "jwks.json").unlink()
    notes: list[str] = []
    token = Issuer().token()
    with pytest.raises(Unauthenticated):
        await build_verifier(found.identity, SystemClock(), notes.append).verify(token)
    assert notes
    assert all(note.startswith("https://idp.test: keys not read") and token not in note for note in notes)


def test_keys_come_from_a_file_an_address_or_discovery() -> None:
    def source(**more: object) -> object:
        return key_source(Settings(issuer="https://idp.test", audience=("x",), **more))  # type: ignore[arg-type]  # either kind of key

    assert isinstance(source(jwks_file=Path("k")), FromFile)
    assert isinstance(source(jwks_uri="https://idp.test/k"), FromAddress)
    assert isinstance(source(), FromDiscovery)


@pytest.mark.parametrize(
    ("where", "value", "words"),
    [
        (f"{ISSUER}.jwks_uri", "https://idp.test/keys", "give one of them"),
        (f"{ISSUER}.jwks_ca", "missing.pem", "No such file"),
        (f"{ISSUER}.jwks_ca", "jwks.json", "no certificates in PEM form"),
        ("identity.skew", "10m", "at most 5m"),
        (f"{ISSUER}.algorithms", ["HS256"], "expected RS256"),
        (f"{ISSUER}.algorithms", ["none"], "expected RS256"),
        (f"{ISSUER}.algorithms", ["ES512"], "no key fits the algorithms"),
    ],
)
def test_what_is_wrong_with_an_issuer_is_told(folder: Path, where: str, value: object, words: str) -> None:
    (found,) = told(folder, changed(where, value))
    assert words in found


@pytest.mark.parametrize(
    ("uri", "fine"),
    [
        ("https://idp.test/keys", True),
        ("http://127.0.0.1:8080/keys", True),
        ("http://localhost/keys", True),
        ("http://idp.test/keys", False),
        ("https://user:hunter2@idp.test/keys", False),
        ("https://idp.test/keys#x", False),
        ("file:///etc/passwd", False),
        ("https://", False),
    ],
)
def test_keys_are_fetched_over_https_or_from_this_machine(folder: Path, uri: str, *, fine: bool) -> None:
    text = changed(ISSUER, {"issuer": "https://idp.test", "audience": ["x"], "jwks_uri": uri})
    found = told(folder, text)
    assert (found == []) == fine
    assert "hunter2" not in "".join(found)


def test_discovery_needs_an_https_issuer(folder: Path) -> None:
    assert told(folder, changed(ISSUER, {"issuer": "https://idp.test", "audience": ["x"]})) == []
    (found,) = told(folder, changed(ISSUER, {"issuer": "our idp", "audience": ["x"]}))
    assert "discovery needs an https issuer" in found


def test_an_issuer_stands_once(folder: Path) -> None:
    one = {"issuer": "https://idp.test", "audience": ["x"], "jwks_file": "jwks.json"}
    (found,) = told(folder, changed("identity.issuers", [one, one]))
    assert "stands here 2 times" in found


def test_a_key_set_with_a_secret_in_it_is_refused_and_not_repeated(tmp_path: Path) -> None:
    furnish(tmp_path)
    key = {**new_key("ES256").public_jwk(), "d": "c2VjcmV0"}
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": [key]}))
    (found,) = told(tmp_path, GOOD)
    assert "secret key" in found
    assert "c2VjcmV0" not in found
