"""Answer what a PostgreSQL server asks before it lets us in (PostgreSQL 18, §54.2.1). Sans-io: frames in, bytes out.

The password is revealed for the length of one call. A cleartext password goes out over TLS only; SCRAM is bound to the
server's certificate when the server offers that, and its signature must be right before AuthenticationOk is believed.
"""

from gateway.core.errors import Unavailable
from gateway.core.ids import random_bytes
from gateway.upstream.target import Target
from gateway.wire.postgres import client_messages, scram, server_messages
from gateway.wire.postgres.frames import Frame
from gateway.wire.postgres.md5 import md5_password
from gateway.wire.postgres.server_messages import Authentication

_SALT = 4


class Login:
    """The authentication of one connection. `binding` is the hash of the server's certificate, None without."""

    def __init__(self, target: Target, *, tls: bool, binding: bytes | None = None) -> None:
        self._target = target
        self._tls = tls
        self._binding = binding
        self._scram: scram.ScramClient | None = None
        self._verified = False

    def answer(self, frame: Frame) -> bytes | None:
        """What to send; None when the server says that we are in. Raises Unavailable, ProtocolError."""
        asked = server_messages.parse_authentication(frame)
        self._check_bound(asked)
        if asked.code == server_messages.OK:
            if self._scram is not None and not self._verified:
                raise Unavailable("upstream.wrong_server", "it did not prove that it knows the password")
            return None
        return self._reply(asked)

    def _check_bound(self, asked: Authentication) -> None:
        """Where binding is required, every other way in is one that somebody in the middle could have chosen for us."""
        if self._target.channel_binding != "require" or self._scram is not None:
            return
        offered = asked.code == server_messages.SASL and scram.MECHANISM_PLUS in asked.mechanisms
        if not offered or self._binding is None:
            raise Unavailable("upstream.tls", "the login cannot be bound to the server's certificate")

    def _reply(self, asked: Authentication) -> bytes:
        match asked.code:
            case server_messages.CLEARTEXT if self._tls:
                return client_messages.password(self._target.password())
            case server_messages.CLEARTEXT:
                raise Unavailable("upstream.refused", "it asks for a cleartext password without TLS")
            case server_messages.MD5 if len(asked.data) == _SALT:
                secret = self._target.password()
                return client_messages.password(md5_password(self._target.user, secret, asked.data))
            case server_messages.SASL:
                return self._begin(asked.mechanisms)
            case server_messages.SASL_CONTINUE if self._scram is not None:
                return client_messages.sasl_response(self._scram.final(asked.data))
            case server_messages.SASL_FINAL if self._scram is not None:
                self._scram.verify(asked.data)
                self._verified = True
                return b""
        raise Unavailable("upstream.refused", f"it asks for authentication {asked.code}")

    def _begin(self, mechanisms: tuple[str, ...]) -> bytes:
        if self._scram is not None or scram.MECHANISM not in mechanisms:
            raise Unavailable("upstream.refused", "it offers no SCRAM-SHA-256")
        offered = scram.MECHANISM_PLUS in mechanisms
        self._scram = scram.ScramClient(
            self._target.password(),
            random_bytes(scram.NONCE_BYTES),
            binding=self._binding if offered else None,
            could_bind=self._binding is not None and not offered,
        )
        return client_messages.sasl_initial_response(self._scram.mechanism, self._scram.first())
