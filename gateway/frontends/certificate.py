"""The certificate a listener shows: loaded again when its files change, kept when the new ones do not load."""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway.core.errors import ConfigError


@dataclass(slots=True)
class Certificate:
    """PEM files of the chain and its key, and the TLS context made of them."""

    cert: Path
    key: Path
    alpn: Sequence[str]
    _context: ssl.SSLContext | None = None
    _stamp: tuple[int, ...] = ()

    def context(self) -> ssl.SSLContext:
        """The context for the next handshake. Raises ConfigError only when none has ever loaded."""
        stamp = self._stamp_now()
        if self._context is None or (stamp and stamp != self._stamp):
            try:
                self._context = self._load()
            except (OSError, ssl.SSLError) as error:
                if self._context is None:
                    raise ConfigError("config.invalid", f"{self.cert}: {type(error).__name__}") from None
            self._stamp = stamp
        return self._context

    def _stamp_now(self) -> tuple[int, ...]:
        """Changes when a file does; empty while one is missing."""
        try:
            return tuple(path.stat().st_mtime_ns for path in (self.cert, self.key))
        except OSError:
            return ()

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(list(self.alpn))
        context.options |= ssl.OP_NO_RENEGOTIATION
        context.load_cert_chain(self.cert, self.key)
        return context
