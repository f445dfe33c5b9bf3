"""Key sets are read for what they publish; a set that holds a secret is refused whole."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from gateway.identity.keys import ALGORITHMS, MAX_SET_BYTES, BadKeySet, parse_key_set

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
RSA_JWK: dict[str, object] = {**RSAAlgorithm.to_jwk(RSA.public_key(), as_dict=True), "kid": "r"}
EC_JWK: dict[str, object] = {**ECAlgorithm.to_jwk(EC.public_key(), as_dict=True), "kid": "e"}
OCT_JWK: dict[str, object] = {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQ", "kid": "o"}


def key_set(*keys: dict[str, object]) -> bytes:
    return json.dumps({"keys": keys}).encode()


def without(jwk: dict[str, object], name: str) -> dict[str, object]:
    return {member: value for member, value in jwk.items() if member != name}


def test_no_algorithm_is_symmetric_or_none() -> None:
    assert [name for name in ALGORITHMS if name.startswith("HS") or name.lower() == "none"] == []


def test_keys_are_found_by_id_and_algorithm() -> None:
    keys = parse_key_set(key_set(RSA_JWK, EC_JWK))
    found = keys.find("r", "PS256")
    assert found is not None
    assert found.public.public_numbers() == RSA.public_key().public_numbers()  # type: ignore[union-attr] # it is RSA
    assert keys.find("r", "ES256") is None
    assert keys.find("x", "RS256") is None


def test_without_an_id_only_a_single_choice_is_taken() -> None:
    keys = parse_key_set(key_set(RSA_JWK, EC_JWK, {**EC_JWK, "kid": "e2"}))
    assert keys.find(None, "RS256") is not None
    assert keys.find(None, "ES256") is None


def test_a_key_that_names_its_algorithm_serves_no_other() -> None:
    keys = parse_key_set(key_set({**RSA_JWK, "alg": "RS256"}))
    assert keys.find("r", "RS256") is not None
    assert keys.find("r", "PS256") is None


SECRET = {
    "a symmetric key": OCT_JWK,
    "a symmetric key without its value": {"kty": "oct"},
    "a private RSA key": {**RSAAlgorithm.to_jwk(RSA, as_dict=True), "kid": "p"},
    "a private EC key": {**ECAlgorithm.to_jwk(EC, as_dict=True), "kid": "p"},
}


@pytest.mark.parametrize("jwk", SECRET.values(), ids=SECRET)
def test_a_set_that_holds_a_secret_is_refused_whole(jwk: dict[str, object]) -> None:
    with pytest.raises(BadKeySet, match="secret key"):
        parse_key_set(key_set(RSA_JWK, jwk))


LEFT_OUT: dict[str, dict[str, object]] = {
    "for encryption": {**EC_JWK, "use": "enc"},
    "for other operations": {**EC_JWK, "key_ops": ["sign"]},
    "of an unknown type": {"kty": "LMS", "kid": "l"},
    "on a curve of no algorithm": {**EC_JWK, "crv": "secp256k1"},
    "of an algorithm we do not take": {**EC_JWK, "alg": "ES256K"},
    "of an algorithm of another type": {**EC_JWK, "alg": "RS256"},
    "with an algorithm that is a number": {**EC_JWK, "alg": 7},
    "with a point that is not on its curve": {**EC_JWK, "x": EC_JWK["y"]},
    "with coordinates of another length": {**EC_JWK, "x": "AAAA"},
    "with coordinates that are numbers": {**EC_JWK, "x": 7},
    "without coordinates": without(EC_JWK, "x"),
    "too short": {**RSA_JWK, "n": "AQAB"},
    "without a modulus": without(RSA_JWK, "n"),
    "with an even exponent": {**RSA_JWK, "e": "AAAC"},
}


@pytest.mark.parametrize("jwk", LEFT_OUT.values(), ids=LEFT_OUT)
def test_a_key_we_have_no_use_for_is_left_out(jwk: dict[str, object]) -> None:
    assert [key.kid for key in parse_key_set(key_set({**RSA_JWK, "kid": "good"}, jwk)).keys] == ["good"]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"keys": 7}',
        b'{"keys": []}',
        b'{"keys": ["x"]}',
        key_set({**EC_JWK, "kid": 7}),
        key_set(EC_JWK, EC_JWK),
        key_set(*({**EC_JWK, "kid": str(number)} for number in range(101))),
        b"[" * 30_000,
        b" " * (MAX_SET_BYTES + 1),
        b"\xff\xfe",
    ],
)
def test_what_is_no_usable_set_is_refused(data: bytes) -> None:
    with pytest.raises(BadKeySet):
        parse_key_set(data)


members: st.SearchStrategy[dict[str, object]] = st.dictionaries(
    st.sampled_from(["kty", "crv", "x", "y", "n", "e", "kid", "use", "alg", "key_ops"]),
    st.sampled_from(["RSA", "EC", "OKP", "P-256", "Ed25519", "sig", "AQAB", "", "é", 7, None, ["verify"], {}]),
)


@given(st.lists(members, max_size=3))
def test_no_set_makes_it_fail_otherwise(keys: list[dict[str, object]]) -> None:
    good = {**RSA_JWK, "kid": "good"}
    try:
        found = parse_key_set(key_set(good, *keys))
    except BadKeySet:
        return
    assert found.find("good", "RS256") is not None
