"""SCRAM: the published exchange is reproduced, and a server that cannot prove itself is not believed."""

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.errors import ProtocolError
from gateway.wire.postgres.scram import ITERATIONS_MAX, ScramClient, prepare

SALT = b"sixteen bytes..."


class Server:
    """The other side, written from RFC 5802 independently of the client."""

    def __init__(self, password: str, *, binding: bytes = b"") -> None:
        self.salted = hashlib.pbkdf2_hmac("sha256", password.encode(), SALT, 4096)
        self.binding = binding
        self.first = b""

    def challenge(self, client_first: bytes) -> bytes:
        self.flag, _, self.bare = client_first.split(b",", 2)
        self.first = self.bare.split(b"r=")[1]
        self.first = b"r=" + self.first + b"server,s=" + base64.b64encode(SALT) + b",i=4096"
        return self.first

    def conclude(self, client_final: bytes) -> bytes | None:
        """The server-final-message; None when the proof is wrong."""
        without_proof, proof = client_final.rsplit(b",p=", 1)
        header = base64.b64decode(without_proof.split(b",")[0][2:])
        if header != self.flag + b",," + self.binding:
            return None
        signed = self.bare + b"," + self.first + b"," + without_proof
        client_key = hmac.digest(self.salted, b"Client Key", "sha256")
        signature = hmac.digest(hashlib.sha256(client_key).digest(), signed, "sha256")
        if base64.b64decode(proof) != bytes(a ^ b for a, b in zip(client_key, signature, strict=True)):
            return None
        server_key = hmac.digest(self.salted, b"Server Key", "sha256")
        return b"v=" + base64.b64encode(hmac.digest(server_key, signed, "sha256"))


@pytest.mark.parametrize("password", ["pencil", "пароль", "with space"])
def test_the_right_password_proves_both_sides(password: str) -> None:
    client, server = ScramClient(password, b"n" * 18), Server(password)
    final = server.conclude(client.final(server.challenge(client.first())))
    assert final is not None
    client.verify(final)
    assert client.mechanism == "SCRAM-SHA-256"


def test_a_wrong_password_proves_nothing() -> None:
    client, server = ScramClient("pencil", b"n" * 18), Server("crayon")
    assert server.conclude(client.final(server.challenge(client.first()))) is None


def test_a_server_that_does_not_know_the_password_is_not_believed() -> None:
    client, server = ScramClient("pencil", b"n" * 18), Server("pencil")
    client.final(server.challenge(client.first()))
    for last in (b"v=" + base64.b64encode(bytes(32)), b"e=other-error", b"v=!", b"", b"v="):
        with pytest.raises(ProtocolError):
            client.verify(last)


def test_nothing_verifies_before_the_exchange_has_taken_place() -> None:
    with pytest.raises(ProtocolError):
        ScramClient("pencil", b"n" * 18).verify(b"v=")


def test_the_certificate_is_bound_when_it_is_given() -> None:
    client, server = ScramClient("pencil", b"n" * 18, binding=b"hash"), Server("pencil", binding=b"hash")
    assert client.mechanism == "SCRAM-SHA-256-PLUS"
    assert client.first().startswith(b"p=tls-server-end-point,,")
    assert server.conclude(client.final(server.challenge(client.first()))) is not None


def test_a_client_that_could_have_bound_says_so() -> None:
    assert ScramClient("x", b"n", could_bind=True).first().startswith(b"y,,")
    assert ScramClient("x", b"n").first().startswith(b"n,,")


NONCE = base64.b64encode(b"n" * 18)


@pytest.mark.parametrize(
    "challenge",
    [
        b"",
        b"r=" + NONCE + b",s=c2FsdA==,i=4096",
        b"r=other,s=c2FsdA==,i=4096",
        b"r=" + NONCE + b"x,s=c2FsdA==,i=4095",
        b"r=" + NONCE + b"x,s=c2FsdA==,i=" + str(ITERATIONS_MAX + 1).encode(),
        b"r=" + NONCE + b"x,s=c2FsdA==,i=99999999999999999999",
        b"r=" + NONCE + b"x,s=c2FsdA==,i=-1",
        b"r=" + NONCE + b"x,s=,i=4096",
        b"r=" + NONCE + b"x,s=!!!,i=4096",
        b"m=x,r=" + NONCE + b"x,s=c2FsdA==,i=4096",
        b"e=unknown-user",
    ],
)
def test_a_challenge_that_is_none_is_refused(challenge: bytes) -> None:
    with pytest.raises(ProtocolError):
        ScramClient("pencil", b"n" * 18).final(challenge)


@given(challenge=st.binary(max_size=60), last=st.binary(max_size=60))
def test_arbitrary_bytes_never_raise_anything_but_a_protocol_error(challenge: bytes, last: bytes) -> None:
    client = ScramClient("pencil", b"n" * 18)
    with pytest.raises(ProtocolError):
        client.final(challenge)
    with pytest.raises(ProtocolError):
        client.verify(last)


@pytest.mark.parametrize(
    ("given_password", "prepared"),
    [
        ("I\u00adX", "IX"),
        ("user", "user"),
        ("\u00aa", "a"),
        ("\u2168", "IX"),
        ("a\u00a0b", "a b"),
        ("\u0007", "\u0007"),
        ("\u06271", "\u06271"),
        ("\u0221", "\u0221"),
    ],
)
def test_passwords_are_prepared_as_rfc_4013_says_and_kept_where_it_refuses(given_password: str, prepared: str) -> None:
    assert prepare(given_password) == prepared


def test_the_password_is_not_in_the_repr() -> None:
    assert "pencil" not in repr(ScramClient("pencil", b"n"))
