"""Bad tokens at the door of a running gateway: each has its own reason in the record, all hear the same words."""

import base64
import json
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType

import msgspec
import psycopg
import pytest

from gateway.evidence.leaf import Leaf
from gateway.evidence.view import open_views
from tests.support.gateway import Gateway
from tests.support.identity import Issuer, new_key

NOW = int(time.time())
Make = Callable[[Issuer], str]


def _part(content: Mapping[str, object]) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def _unsigned(issuer: Issuer) -> str:
    return f"{_part({'alg': 'none', 'typ': 'JWT'})}.{_part(issuer.claims())}."


def _tampered(issuer: Issuer) -> str:
    head, _, signature = issuer.token().split(".")
    return f"{head}.{_part(issuer.claims('root', ['dba']))}.{signature}"


BAD: Mapping[str, Make] = MappingProxyType(
    {
        "token.malformed": lambda _: "hunter2-is-no-token",
        "token.encrypted": lambda _: "eyJhbGciOiJSU0EtT0FFUCJ9.aaaa.bbbb.cccc.dddd",
        "token.type": lambda issuer: issuer.sign(issuer.claims(), typ="logout+jwt"),
        "token.critical": lambda issuer: issuer.sign(issuer.claims(), crit=["exp"]),
        "token.unknown_issuer": lambda issuer: issuer.token(iss="https://elsewhere.test"),
        "token.algorithm": _unsigned,
        "token.unknown_key": lambda issuer: issuer.sign(issuer.claims(), new_key("ES256")),
        "token.signature": _tampered,
        "token.audience": lambda issuer: issuer.token(aud="billing"),
        "token.no_expiry": lambda issuer: issuer.token(exp=None),
        "token.expired": lambda issuer: issuer.token(exp=NOW - 3600, nbf=NOW - 7200, iat=NOW - 7200),
        "token.not_yet_valid": lambda issuer: issuer.token(nbf=NOW + 3600),
        "token.issued_in_future": lambda issuer: issuer.token(iat=NOW + 3600, nbf=None),
        "token.claims": lambda issuer: issuer.token(exp=True),
        "token.subject": lambda issuer: issuer.token(sub=None),
        "token.groups": lambda issuer: issuer.token(groups="agents dba"),
        "token.delegation": lambda issuer: issuer.token(act={}),
    }
)


def failures(gateway: Gateway) -> list[str]:
    """The codes of every login that failed, oldest first."""
    leaves = (msgspec.json.decode(leaf, type=Leaf) for view in open_views(gateway.data) for _, leaf in view.upwards(0))
    return [str(leaf.facts()["code"]) for leaf in leaves if leaf.type == "auth.failed"]


def said_to(gateway: Gateway, token: str) -> str:
    gateway.tokens.append(token)
    with pytest.raises(psycopg.OperationalError) as caught:
        gateway.connect("payments", token)
    return str(caught.value).partition("FATAL:")[2]


def test_at_least_twelve_kinds_are_tried() -> None:
    assert len(BAD) >= 12


@pytest.mark.parametrize(("code", "make"), BAD.items(), ids=BAD)
def test_a_bad_token_is_recorded_with_its_reason_and_the_client_learns_none(
    gateway: Gateway, code: str, make: Make
) -> None:
    before = len(failures(gateway))
    said = said_to(gateway, make(gateway.issuer))
    assert failures(gateway)[before:] == [code]
    assert said == said_to(gateway, "another-bad-token")
    for word in ("signature", "expired", "audience", "issuer", "key", "algorithm", "malformed"):
        assert word not in said.replace("identity provider", "")


def test_a_token_larger_than_64_kib_is_refused_before_it_is_kept(gateway: Gateway) -> None:
    before = len(failures(gateway))
    with pytest.raises(psycopg.OperationalError):
        gateway.connect("payments", gateway.issuer.token(padding="x" * 70_000))
    assert failures(gateway)[before:] == ["wire.message_too_long"]


def test_an_empty_password_is_recorded_as_a_missing_token(gateway: Gateway) -> None:
    before = len(failures(gateway))
    with pytest.raises(psycopg.OperationalError):
        gateway.connect("payments", " ")
    assert failures(gateway)[before:] == ["token.malformed"]


def test_the_same_agent_with_a_good_token_gets_in(gateway: Gateway) -> None:
    with gateway.connect("payments") as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_user_name_that_is_not_the_subject_is_refused(gateway: Gateway) -> None:
    before = len(failures(gateway))
    with pytest.raises(psycopg.OperationalError):
        gateway.connect("payments", user="somebody")
    with gateway.connect("payments", user="agent-7") as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert failures(gateway)[before:] == ["login.user"]


def ask_until_it_ends(connection: psycopg.Connection) -> None:
    for _ in range(100):
        connection.execute("SELECT 1")
        time.sleep(0.1)


def test_a_session_ends_when_its_token_does(gateway: Gateway) -> None:
    token = gateway.token(exp=int(time.time()) - 27)  # the skew of 30 s leaves three
    with gateway.connect("payments", token) as connection:
        connection.execute("SELECT 1")
        with pytest.raises(psycopg.OperationalError) as caught:
            ask_until_it_ends(connection)
    assert caught.value.sqlstate == "28000"
