"""Keys: one algorithm each, an id from the file or from the key, and no weak ones."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from gateway.core.errors import ConfigError
from gateway.policy import keys
from gateway.policy.keys import (
    ES256,
    RS256,
    SigningKey,
    load_key,
    load_signing_key,
    public_pem,
    signing_key,
    verification_key,
)
from tests.support.bundle import bundle_key


def pem_of(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.fixture(scope="module", params=[RS256, ES256])
def signer(request: pytest.FixtureRequest) -> SigningKey:
    made = rsa.generate_private_key(65537, 2048) if request.param == RS256 else ec.generate_private_key(ec.SECP256R1())
    key = signing_key(pem_of(made))
    assert key.public.algorithm == request.param
    return key


def test_a_signature_verifies_over_its_message_only(signer: SigningKey) -> None:
    signature = signer.sign(b"message")
    assert signer.public.verifies(b"message", signature)
    assert not signer.public.verifies(b"other", signature)
    assert not signer.public.verifies(b"message", signature[:-1])
    assert not signer.public.verifies(b"message", b"")
    assert not signer.public.verifies(b"message", bytes(len(signature)))


def test_a_key_without_a_name_is_called_by_its_hash(signer: SigningKey) -> None:
    read = verification_key(public_pem(signer.public))
    assert (read.keyid, read.named) == (read.fingerprint, False)
    assert read.verifies(b"message", signer.sign(b"message"))


def test_a_name_travels_with_the_public_key(signer: SigningKey) -> None:
    named = signing_key(pem_of(signer.key), keyid="prod-2026")
    read = verification_key(public_pem(named.public))
    assert (read.keyid, read.named, read.fingerprint) == ("prod-2026", True, signer.public.fingerprint)


def test_the_name_stands_on_a_line_of_its_own_before_the_key(signer: SigningKey) -> None:
    pem = pem_of(signer.key)
    assert signing_key(b"what it is for\nkeyid: one\r\n" + pem).public.keyid == "one"
    assert signing_key(b"keyid: one\n" + pem, keyid="two").public.keyid == "two"
    assert not signing_key(b"no keyid: one\n" + pem + b"keyid: three\n").public.named


def test_weak_and_unknown_keys_are_refused() -> None:
    made = (
        rsa.generate_private_key(65537, 1024),  # noqa: S505 -- that is the point
        ec.generate_private_key(ec.SECP384R1()),
        ed25519.Ed25519PrivateKey.generate(),
    )
    for key in made:
        with pytest.raises(ConfigError, match=r"bundle\.key"):
            signing_key(pem_of(key))


def test_a_private_key_is_no_public_key_and_the_other_way_round(signer: SigningKey) -> None:
    with pytest.raises(ConfigError, match=r"bundle\.key"):
        verification_key(pem_of(signer.key))
    with pytest.raises(ConfigError, match=r"bundle\.key"):
        signing_key(public_pem(signer.public))


def test_an_encrypted_key_is_refused(signer: SigningKey) -> None:
    pem = signer.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word"))
    with pytest.raises(ConfigError, match=r"bundle\.key"):
        signing_key(pem)


def test_files_are_read_and_their_mistakes_name_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = bundle_key()
    (tmp_path / "public").write_bytes(public_pem(key.public))
    (tmp_path / "private").write_bytes(pem_of(key.key))
    assert load_key(tmp_path / "public").fingerprint == key.public.fingerprint
    assert load_signing_key(tmp_path / "private", "x").public.keyid == "x"
    with pytest.raises(ConfigError, match="missing"):
        load_key(tmp_path / "missing")
    monkeypatch.setattr(keys, "_MAX_PEM", 10)
    with pytest.raises(ConfigError, match="too long"):
        load_key(tmp_path / "public")


def test_the_repr_of_a_signing_key_holds_nothing_of_it() -> None:
    assert repr(bundle_key()) == "SigningKey(tests)"
