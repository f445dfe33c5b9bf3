"""Logging in: only what was agreed is answered, and nothing is believed that was not proved."""

import pytest

from gateway.core.errors import GatewayError, Unavailable
from gateway.upstream.login import Login
from gateway.upstream.target import Target
from gateway.wire.postgres import server_messages as server
from gateway.wire.postgres.frames import Frame

SECRET = "hunter2"


def login(*, tls: bool = True, binding: bytes | None = None, required: bool = False) -> Login:
    target = Target(
        name="p", host="h", port=1, database="d", user="agent", password=lambda: SECRET,
        channel_binding="require" if required else "prefer",
    )  # fmt: skip
    return Login(target, tls=tls, binding=binding)


def frame(raw: bytes) -> Frame:
    return Frame(raw[:1], raw)


def test_a_server_that_asks_for_nothing_lets_us_in() -> None:
    assert login().answer(frame(server.AUTHENTICATION_OK)) is None


def test_a_cleartext_password_goes_out_over_tls_only() -> None:
    asked = frame(server.AUTHENTICATION_CLEARTEXT_PASSWORD)
    assert login().answer(asked) == b"p\0\0\0\x0c" + SECRET.encode() + b"\0"
    with pytest.raises(Unavailable, match="cleartext"):
        login(tls=False).answer(asked)


def test_md5_is_answered_without_the_password_itself() -> None:
    answer = login(tls=False).answer(frame(server.authentication(server.MD5, b"salt")))
    assert answer is not None
    assert answer.startswith(b"p\0\0\0\x28md5")
    assert SECRET.encode() not in answer


def test_scram_is_bound_to_the_certificate_when_both_sides_can() -> None:
    both = frame(server.authentication_sasl(["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"]))
    plain = frame(server.authentication_sasl(["SCRAM-SHA-256"]))
    assert b"SCRAM-SHA-256-PLUS\0" in (login(binding=b"h").answer(both) or b"")
    assert b"SCRAM-SHA-256\0\0\0\0\x20y,," in (login(binding=b"h").answer(plain) or b"")
    assert b"SCRAM-SHA-256\0\0\0\0\x20n,," in (login().answer(both) or b"")


def test_a_server_that_skips_its_proof_is_not_believed() -> None:
    begun = login()
    begun.answer(frame(server.authentication_sasl(["SCRAM-SHA-256"])))
    with pytest.raises(Unavailable, match=r"upstream\.wrong_server"):
        begun.answer(frame(server.AUTHENTICATION_OK))


@pytest.mark.parametrize(
    "raw",
    [
        server.authentication(2),
        server.authentication(7),
        server.authentication(server.MD5, b"sal"),
        server.authentication(server.SASL_CONTINUE, b"r="),
        server.authentication(server.SASL_FINAL, b"v="),
        server.authentication_sasl(["OAUTHBEARER"]),
        server.authentication_sasl([]),
        b"R\0\0\0\5\0",
    ],
)
def test_what_cannot_be_answered_ends_the_login(raw: bytes) -> None:
    with pytest.raises(GatewayError) as refused:
        login().answer(frame(raw))
    assert refused.value.code in {"upstream.refused", "upstream.malformed"}


def test_scram_is_begun_once_only() -> None:
    begun, asked = login(), frame(server.authentication_sasl(["SCRAM-SHA-256"]))
    begun.answer(asked)
    with pytest.raises(Unavailable):
        begun.answer(asked)


@pytest.mark.parametrize(
    ("raw", "binding"),
    [
        (server.AUTHENTICATION_OK, b"h"),
        (server.AUTHENTICATION_CLEARTEXT_PASSWORD, b"h"),
        (server.authentication(server.MD5, b"salt"), b"h"),
        (server.authentication_sasl(["SCRAM-SHA-256"]), b"h"),
        (server.authentication_sasl(["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"]), None),
    ],
)
def test_where_binding_is_required_no_other_way_in_is_taken(raw: bytes, binding: bytes | None) -> None:
    with pytest.raises(Unavailable, match=r"upstream\.tls.*cannot be bound"):
        login(binding=binding, required=True).answer(frame(raw))


def test_where_binding_is_required_a_bound_login_goes_on() -> None:
    both = frame(server.authentication_sasl(["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"]))
    assert b"p=tls-server-end-point,," in (login(binding=b"h", required=True).answer(both) or b"")
