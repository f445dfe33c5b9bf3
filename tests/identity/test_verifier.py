"""Good tokens give a principal; each kind of bad one its own code, and no error holds a piece of it."""

import base64
import hashlib
import hmac
import json
import traceback
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import Unauthenticated
from gateway.core.principal import Delegator
from gateway.identity.claims import ClaimNames
from gateway.identity.keys import KeySet, parse_key_set
from gateway.identity.verifier import MAX_TOKEN, Verifier
from tests.identity.world import ISSUER, NOW, World

WORLD = World()


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def with_part(token: str, index: int, part: str) -> str:
    parts = token.split(".")
    parts[index] = part
    return ".".join(parts)


def raw(payload: str, header: dict[str, object] | None = None) -> str:
    head = encoded(header or {"alg": "ES256", "kid": WORLD.kid})
    return f"{head}.{base64.urlsafe_b64encode(payload.encode()).decode().rstrip('=')}.AAAA"


def hmac_with_public_key() -> str:
    """The classic confusion: the public key, which everybody has, used as an HMAC secret."""
    text = f"{encoded({'alg': 'HS256', 'kid': WORLD.kid})}.{encoded(WORLD.claims())}"
    mac = hmac.new(WORLD.issuer.jwks(), text.encode(), hashlib.sha256).digest()
    return f"{text}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def stranger(**header: object) -> str:
    return WORLD.signed(None, ec.generate_private_key(ec.SECP256R1()), **header)


BAD: dict[str, tuple[str, Callable[[], str]]] = {
    "nothing": ("token.missing", lambda: ""),
    "a password": ("token.malformed", lambda: "hunter2"),
    "two parts": ("token.malformed", lambda: "eyJhbGciOiJFUzI1NiJ9.e30"),
    "other characters": ("token.malformed", lambda: WORLD.token() + "ü"),
    "a line break": ("token.malformed", lambda: WORLD.token() + "\n"),
    "a card number as subject": ("token.card_number", lambda: WORLD.token(sub="4111111111111111")),
    "a card number in a subject, encoded": ("token.card_number", lambda: WORLD.token(sub="NDExMTExMTExMTExMTExMQ==")),
    "a card number among groups": ("token.card_number", lambda: WORLD.token(groups=["a", "4111 1111 1111 1111"])),
    "a card number as delegator": ("token.card_number", lambda: WORLD.token(act={"sub": "5555-5555-5555-4444"})),
    "padding": ("token.malformed", lambda: with_part(WORLD.token(), 2, "AAAA==")),
    "a header that is a list": ("token.malformed", lambda: with_part(WORLD.token(), 0, encoded([1]))),
    "a payload that is no JSON": ("token.malformed", lambda: with_part(WORLD.token(), 1, "e3t7")),
    "a payload nested without end": ("token.malformed", lambda: raw("[" * 30_000)),
    "a claim said twice": ("token.malformed", lambda: raw('{"iss": "a", "iss": "b"}')),
    "a claim that is not a number": ("token.malformed", lambda: raw('{"exp": NaN}')),
    "a kid that is a number": ("token.malformed", lambda: raw("{}", {"alg": "ES256", "kid": 7})),
    "no algorithm": ("token.malformed", lambda: raw("{}", {"kid": "x"})),
    "too large": ("token.too_large", lambda: "a" * (MAX_TOKEN + 1)),
    "encrypted": ("token.encrypted", lambda: "eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d"),
    "for another use": ("token.type", lambda: WORLD.signed(typ="logout+jwt")),
    "an extension it demands": ("token.critical", lambda: WORLD.signed(crit=["exp"], exp=1)),
    "unencoded payload": (
        "token.critical",
        lambda: with_part(WORLD.token(), 0, encoded({"alg": "ES256", "b64": False})),
    ),
    "another issuer": ("token.unknown_issuer", lambda: WORLD.signed(WORLD.claims(iss="https://evil.test"))),
    "the issuer with a slash": ("token.unknown_issuer", lambda: WORLD.signed(WORLD.claims(iss=ISSUER + "/"))),
    "no issuer": ("token.unknown_issuer", lambda: raw("{}")),
    "an issuer that is a list": ("token.unknown_issuer", lambda: raw(json.dumps({"iss": [ISSUER]}))),
    "no signature": (
        "token.algorithm",
        lambda: f"{encoded({'alg': 'none'})}.{encoded(WORLD.claims())}.",
    ),
    "no signature, other case": (
        "token.algorithm",
        lambda: f"{encoded({'alg': 'nOnE'})}.{encoded(WORLD.claims())}.",
    ),
    "HMAC with the public key": ("token.algorithm", hmac_with_public_key),
    "an algorithm not allowed": ("token.algorithm", lambda: with_part(WORLD.token(), 0, encoded({"alg": "ES512"}))),
    "the key's other type": (
        "token.unknown_key",
        lambda: with_part(WORLD.token(), 0, encoded({"alg": "RS256", "kid": WORLD.kid})),
    ),
    "an unknown key id": ("token.unknown_key", lambda: stranger(kid="other")),
    "a key it brings along": ("token.unknown_key", lambda: stranger(kid="mine", jwk={"kty": "EC"}, jku="https://x")),
    "another key's signature": ("token.signature", stranger),
    "a changed payload": ("token.signature", lambda: with_part(WORLD.token(), 1, encoded(WORLD.claims(sub="root")))),
    "a signature cut off": ("token.signature", lambda: with_part(WORLD.token(), 2, "")),
    "another audience": ("token.audience", lambda: WORLD.token(aud="billing")),
    "no audience": ("token.audience", lambda: WORLD.token(aud=None)),
    "an audience that is a mapping": ("token.audience", lambda: WORLD.token(aud={"querywarden": 1})),
    "no expiry": ("token.no_expiry", lambda: WORLD.token(exp=None)),
    "expired": ("token.expired", lambda: WORLD.token(exp=NOW - 31)),
    "expired to the second": ("token.expired", lambda: WORLD.token(exp=NOW - 30)),
    "an expiry that is text": ("token.claims", lambda: WORLD.token(exp=str(NOW + 60))),
    "an expiry that is true": ("token.claims", lambda: WORLD.token(exp=True)),
    "an endless expiry": ("token.claims", lambda: WORLD.token(exp=10**300)),
    "not yet valid": ("token.not_yet_valid", lambda: WORLD.token(nbf=NOW + 31)),
    "issued in the future": ("token.issued_in_future", lambda: WORLD.token(iat=NOW + 31)),
    "no subject": ("token.subject", lambda: WORLD.token(sub=None)),
    "an empty subject": ("token.subject", lambda: WORLD.token("")),
    "a subject of spaces": ("token.subject", lambda: WORLD.token(" ")),
    "a subject that is a number": ("token.subject", lambda: WORLD.signed(WORLD.claims(sub={"a": 1}))),
    "a subject with NUL": ("token.subject", lambda: WORLD.token("a\0b")),
    "a subject that turns the text around": ("token.subject", lambda: WORLD.token("a\u202eb")),
    "a subject that is no text": ("token.subject", lambda: WORLD.token("a\ud800")),
    "a long subject": ("token.subject", lambda: WORLD.token("a" * 257)),
    "groups as text": ("token.groups", lambda: WORLD.token(groups="agents dba")),
    "groups with a number": ("token.groups", lambda: WORLD.token(groups=["agents", 7])),
    "a group with a line break": ("token.groups", lambda: WORLD.token(groups=["a\nb"])),
    "too many groups": ("token.groups", lambda: WORLD.token(groups=[f"g{i}" for i in range(1001)])),
    "groups kept elsewhere": ("token.groups", lambda: WORLD.token(groups=None, _claim_names={"groups": "src1"})),
    "acting for nobody": ("token.delegation", lambda: WORLD.token(act={})),
    "acting for a list": ("token.delegation", lambda: WORLD.token(act=["alice"])),
    "acting for one with odd groups": ("token.delegation", lambda: WORLD.token(act={"sub": "a", "groups": "x"})),
}


@pytest.mark.parametrize(("code", "make"), BAD.values(), ids=BAD)
async def test_each_kind_of_bad_token_has_its_code_and_no_error_tells_its_content(
    code: str, make: Callable[[], str]
) -> None:
    token = make()
    with pytest.raises(Unauthenticated) as caught:
        await WORLD.verifier.verify(token)
    assert caught.value.code == code
    assert caught.value.detail == ""
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    pieces = [piece for piece in token.split(".") if len(piece) > 8]
    assert [piece for piece in pieces if piece in shown] == []


def test_more_than_a_dozen_kinds_of_bad_token_can_be_told_apart() -> None:
    assert len({code for code, _ in BAD.values()}) >= 18


async def test_a_good_token_gives_its_principal() -> None:
    world = World(names=ClaimNames(keep=("tenant", "level", "absent")))
    token = world.issuer.mint(
        "agent-7",
        ["writers", "agents", "agents"],
        on_behalf_of="alice",
        more={"tenant": "eu", "level": 3, "secret": "x"},
    )
    principal = await world.verifier.verify(token)
    assert (principal.subject, principal.issuer, principal.groups) == ("agent-7", ISSUER, ("agents", "writers"))
    assert principal.on_behalf_of == Delegator(id="alice")
    assert principal.claims == {"tenant": "eu", "level": 3}
    assert principal.expires_at == NOW + 3600 + 30
    assert principal.type == "agent"


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
async def test_each_development_key_signs_tokens_that_verify(algorithm: str) -> None:
    world = World("RS256" if algorithm == "RS256" else "ES256")
    assert (await world.verifier.verify(world.token())).subject == "agent-7"


async def test_an_ed25519_key_is_taken() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    public = base64.urlsafe_b64encode(key.public_key().public_bytes_raw()).decode().rstrip("=")
    world = World()
    world.ring.keys = parse_key_set(
        json.dumps({"keys": [{"kty": "OKP", "crv": "Ed25519", "x": public, "kid": "ed"}]}).encode()
    )
    assert (await world.verifier.verify(world.signed(None, key, kid="ed"))).subject == "agent-7"


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"exp": NOW - 29}, NOW + 1),
        ({"exp": NOW + 0.9}, NOW + 30),
        ({"nbf": NOW + 30, "exp": NOW + 60}, NOW + 90),
        ({"iat": NOW + 30, "exp": NOW + 60}, NOW + 90),
        ({"exp": 2**53}, 253_402_300_799 + 30),
    ],
)
async def test_clocks_may_differ_by_the_skew_and_the_end_includes_it(claims: dict[str, object], expected: int) -> None:
    assert (await WORLD.verifier.verify(WORLD.token(**claims))).expires_at == expected


@pytest.mark.parametrize("typ", ["JWT", "at+jwt", "application/at+JWT"])
async def test_types_of_access_tokens_are_taken(typ: str) -> None:
    assert (await WORLD.verifier.verify(WORLD.signed(typ=typ))).subject == "agent-7"


async def test_one_audience_of_a_list_is_enough() -> None:
    assert (await WORLD.verifier.verify(WORLD.token(aud=["billing", "querywarden"]))).subject == "agent-7"


async def test_a_token_without_key_id_is_taken_when_there_is_one_key() -> None:
    header = encoded({"alg": "ES256"})
    world = World()
    token = world.issuer.mint("agent-7")
    other = World()
    both = KeySet(world.ring.keys.keys + other.ring.keys.keys)
    assert both.find(None, "ES256") is None
    with pytest.raises(Unauthenticated, match=r"token\.signature"):  # the header is signed too
        await world.verifier.verify(with_part(token, 0, header))


async def test_a_new_key_is_found_by_another_look() -> None:
    world, later = World(), World()
    world.ring.later = later.ring.keys
    assert (await world.verifier.verify(later.token())).subject == "agent-7"
    assert world.ring.looks == 1


async def test_known_keys_need_no_other_look() -> None:
    world = World()
    await world.verifier.verify(world.token())
    assert world.ring.looks == 0


async def test_groups_and_subject_may_stand_deeper() -> None:
    world = World(names=ClaimNames(subject="client.id", groups="realm_access.roles", on_behalf_of="https://x.test/obo"))
    principal = await world.verifier.verify(
        world.token(client={"id": "bot"}, realm_access={"roles": ["dba"]}, **{"https://x.test/obo": "alice"})
    )
    assert (principal.subject, principal.groups, principal.on_behalf_of) == ("bot", ("dba",), Delegator(id="alice"))


async def test_without_issuers_nobody_comes_in() -> None:
    with pytest.raises(Unauthenticated, match=r"token\.unknown_issuer"):
        await Verifier([], WORLD.clock).verify(WORLD.token())


@given(st.text(max_size=80) | st.binary(max_size=60).map(lambda data: base64.urlsafe_b64encode(data).decode()))
async def test_no_text_is_a_token_or_fails_otherwise(text: str) -> None:
    for candidate in (text, f"{text}.{text}.{text}", f"{encoded({'alg': 'ES256'})}.{text}.{text}"):
        with pytest.raises(Unauthenticated):
            await WORLD.verifier.verify(candidate)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)


@given(st.sampled_from(["exp", "nbf", "iat", "aud", "sub", "groups", "act", "tenant"]), json_values)
async def test_whatever_a_claim_holds_the_answer_is_a_principal_or_a_code(name: str, value: object) -> None:
    world = KEEPING
    try:
        principal = await world.verifier.verify(world.signed(world.claims(**{name: value})))
    except Unauthenticated as error:
        assert error.code.startswith("token.")  # noqa: PT017 -- both endings are right
    else:
        assert principal.subject.isprintable()
        assert all(group.isprintable() for group in principal.groups)


KEEPING = World(names=ClaimNames(keep=("tenant",)))
