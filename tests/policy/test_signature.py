"""`.signatures.json`: one signature over every file, by a known key, in one spelling."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from functools import partial

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.core.errors import BundleRejected
from gateway.policy.digests import SIGNATURES, canonical
from gateway.policy.keys import SigningKey, public_pem, signing_key
from gateway.policy.signature import sign, token_of, verify, written
from tests.support.bundle import bundle_key

FILES = {".manifest": b'{"revision":""}', "gateway/a.rego": b"package gateway.a\n", "data.json": b'{"a":1}'}
Json = dict[str, object]


def another_key(keyid: str = "") -> SigningKey:
    made = ec.generate_private_key(ec.SECP256R1())
    return signing_key(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), keyid=keyid)


@pytest.fixture(scope="module")
def rsa_key() -> SigningKey:
    made = rsa.generate_private_key(65537, 2048)
    return signing_key(made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), keyid="tests")


def base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def forged(
    key: SigningKey,
    header: Callable[[Json], Json] = lambda header: header,
    payload: Callable[[Json], Json] = lambda payload: payload,
) -> bytes:
    """A properly signed token with another header or payload than `sign` would write."""
    parts = token_of(sign(FILES, key)).split(".")
    loaded = [json.loads(base64.urlsafe_b64decode(part + "==")) for part in parts[:2]]
    made = [json.dumps(change(part)).encode() for change, part in zip((header, payload), loaded, strict=True)]
    message = ".".join(map(base64url, made))
    return written(f"{message}.{base64url(key.sign(message.encode()))}")


def replaced(new: Json, _old: Json) -> Json:
    return new


def refusal(signatures: bytes | None, *keys: SigningKey, files: dict[str, bytes] = FILES) -> str:
    held = {**files, **({SIGNATURES: signatures} if signatures is not None else {})}
    with pytest.raises(BundleRejected) as caught:
        verify(held, [key.public for key in keys])
    return caught.value.code


def test_what_is_signed_verifies_with_its_claims() -> None:
    key = bundle_key()
    signatures = sign(FILES, key, sequence=7, not_before=10, expires_at=20)
    claims, by = verify({**FILES, SIGNATURES: signatures}, [another_key("x").public, key.public])
    assert (claims.keyid, claims.sequence, claims.not_before, claims.expires_at) == ("tests", 7, 10, 20)
    assert by == key.public


def test_an_rsa_signature_is_the_same_each_time(rsa_key: SigningKey) -> None:
    assert sign(FILES, rsa_key) == sign(dict(reversed(FILES.items())), rsa_key)
    assert verify({**FILES, SIGNATURES: sign(FILES, rsa_key)}, [rsa_key.public])[1] == rsa_key.public


def test_an_earlier_signature_is_replaced_and_never_signed() -> None:
    key = bundle_key()
    again = sign({**FILES, SIGNATURES: b"earlier"}, key)
    assert verify({**FILES, SIGNATURES: again}, [key.public])[0].keyid == "tests"


def test_without_a_signature_nothing_is_believed() -> None:
    assert refusal(None, bundle_key()) == "bundle.unsigned"


@pytest.mark.parametrize(
    "raw",
    [b"", b"{}", b"[]", b'{"signatures":[]}', b'{"signatures":["a","b"]}', b'{"signatures":[1]}', b"\xff",
     b'{"plugin":"own","signatures":["a.b.c"]}', b'{"signatures":["a.b"]}', b'{"signatures":["a.b.c"]}',
     b'{"signatures":["\xc3\xa9.e.e"]}'],
)  # fmt: skip
def test_anything_but_one_token_is_refused(raw: bytes) -> None:
    assert refusal(raw, bundle_key()) == "bundle.malformed"


def test_another_spelling_of_a_good_signature_is_refused() -> None:
    key = bundle_key()
    good = sign(FILES, key)
    token = token_of(good)
    spare = token[:-1] + chr(ord(token[-1]) + 1)  # the last character has four bits that say nothing
    for other in (
        good + b"\n",
        good.replace(b":", b": ", 1),
        written(spare),
        written(token + "="),
        written(token + "A"),
    ):
        assert refusal(other, key) in {"bundle.malformed", "bundle.signature"}
    assert base64.urlsafe_b64decode(spare.split(".")[2] + "==") == base64.urlsafe_b64decode(token.split(".")[2] + "==")


def test_an_unknown_key_is_told_from_a_wrong_signature() -> None:
    signatures = sign(FILES, another_key("other"))
    assert refusal(signatures, bundle_key()) == "bundle.unknown_key"
    assert refusal(sign(FILES, another_key("tests")), bundle_key()) == "bundle.signature"
    assert refusal(signatures) == "bundle.unknown_key"


def test_a_key_without_a_name_verifies_whatever_the_signer_called_it() -> None:
    key = bundle_key()
    nameless = signing_key(key.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    assert verify({**FILES, SIGNATURES: sign(FILES, key)}, [nameless.public])[1] == nameless.public


def test_the_key_decides_on_the_algorithm_and_the_token_does_not(rsa_key: SigningKey) -> None:
    for algorithm in ("none", "HS256", "RS512", "PS256", "ES256"):
        header: Json = {"alg": algorithm, "kid": "tests"}
        assert refusal(forged(rsa_key, header=partial(replaced, header)), rsa_key) == "bundle.algorithm"
    assert refusal(sign(FILES, another_key("tests")), rsa_key) == "bundle.algorithm"


def test_a_public_key_used_as_a_shared_secret_signs_nothing(rsa_key: SigningKey) -> None:
    parts = token_of(sign(FILES, rsa_key)).split(".")
    message = f"{base64url(canonical({'alg': 'HS256', 'kid': 'tests'}))}.{parts[1]}"
    mac = hmac.new(public_pem(rsa_key.public), message.encode(), hashlib.sha256).digest()
    assert refusal(written(f"{message}.{base64url(mac)}"), rsa_key) == "bundle.algorithm"


@pytest.mark.parametrize("missing", ["keyid", "sequence", "not_before", "files"])
def test_every_claim_must_be_there(missing: str) -> None:
    key = bundle_key()
    without = forged(key, payload=lambda p: {name: value for name, value in p.items() if name != missing})
    assert refusal(without, key) == "bundle.claims"


@pytest.mark.parametrize(
    "more",
    [
        {"keyid": ""},
        {"scope": "write"},
        {"sequence": -1},
        {"sequence": "1"},
        {"not_before": -1},
        {"expires_at": None},
        {"expires_at": 1 << 53},
        {"files": [{"name": "a", "hash": "b"}]},
    ],
)
def test_a_claim_with_a_value_that_cannot_be_meant_is_refused(more: Json) -> None:
    key = bundle_key()
    assert refusal(forged(key, payload=lambda p: {**p, **more}), key) == "bundle.claims"


def test_a_header_that_names_another_key_is_refused() -> None:
    key = bundle_key()
    assert refusal(forged(key, header=lambda h: {**h, "kid": "other"}), key) == "bundle.claims"
    assert refusal(forged(key, header=lambda _: {}), key) == "bundle.claims"


def test_each_file_is_signed_once_and_with_sha_256() -> None:
    key = bundle_key()

    def twice(payload: Json) -> Json:
        assert isinstance(payload["files"], list)
        return {**payload, "files": [*payload["files"], payload["files"][0]]}

    def weaker(payload: Json) -> Json:
        assert isinstance(payload["files"], list)
        return {**payload, "files": [{**entry, "algorithm": "MD5"} for entry in payload["files"]]}

    assert refusal(forged(key, payload=twice), key) == "bundle.claims"
    assert refusal(forged(key, payload=weaker), key) == "bundle.claims"


@pytest.mark.parametrize(
    "files",
    [
        {name: content for name, content in FILES.items() if name != "data.json"},
        {**FILES, "gateway/b.rego": b""},
        {**FILES, "gateway/a.rego": FILES["data.json"], "data.json": b'{"a":1}'},
        {**FILES, "data.json": b'{"a":2}'},
        {**FILES, "gateway/a.rego": b"package gateway.a\n\n"},
    ],
)
def test_a_file_removed_added_swapped_or_changed_is_refused(files: dict[str, bytes]) -> None:
    key = bundle_key()
    assert refusal(sign(FILES, key), key, files=files) == "bundle.tampered"


def test_json_in_another_spelling_is_refused_though_its_signed_hash_would_be_the_same() -> None:
    key = bundle_key()
    assert refusal(sign(FILES, key), key, files={**FILES, "data.json": b'{"a": 1}'}) == "bundle.data"
