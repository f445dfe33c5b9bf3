"""One database to connect to: where it is, as whom, and how far its answers are trusted."""

import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from gateway.core.errors import Unavailable

ALPN = "postgresql"
TlsMode = Literal["disable", "require", "verify-full"]
ChannelBinding = Literal["prefer", "require"]


_PLAIN = re.compile(r"[a-z_][a-z0-9_]*\Z")


def _identifier(name: str) -> str:
    """Quoted only where needed: clients read the setting back."""
    return name if _PLAIN.match(name) else '"' + name.replace('"', '""') + '"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A connection of the configuration. `host` that begins with `/` is the folder of a unix socket (never TLS)."""

    name: str
    host: str
    port: int
    database: str
    user: str
    password: Callable[[], str] = field(repr=False)
    """reveals the secret; called in a thread, only while the server asks for it"""
    tls: TlsMode = "verify-full"
    ca: Path | None = None
    """PEM; None is the machine's own list"""
    channel_binding: ChannelBinding = "prefer"
    """`require`: no password, and no proof of one, but bound to the certificate the server shows"""
    search_path: tuple[str, ...] = ("public",)
    minor: int = 0
    """minor version of protocol 3 to ask for; servers may answer with an older one"""

    @property
    def unix_socket(self) -> str | None:
        """Path of the socket, None for TCP."""
        return f"{self.host.rstrip('/')}/.s.PGSQL.{self.port}" if self.host.startswith("/") else None

    @property
    def pinned(self) -> Mapping[str, str]:
        """Settings sent with start-up; the server must report those it reports with these values."""
        last = () if "pg_temp" in self.search_path else ("pg_temp",)  # else it comes first, and hides what we resolved
        path = ", ".join(map(_identifier, (*self.search_path, *last)))
        return {"client_encoding": "UTF8", "standard_conforming_strings": "on", "search_path": path}

    def tls_context(self) -> ssl.SSLContext | None:
        """TLS as `tls` says, None for `disable` and unix sockets. Raises Unavailable(`upstream.tls`)."""
        if self.tls == "disable" or self.unix_socket:
            return None
        try:
            context = ssl.create_default_context(cafile=str(self.ca) if self.ca else None)
        except (OSError, ssl.SSLError):
            raise Unavailable("upstream.tls", "the authority's file cannot be read") from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols([ALPN])
        if self.tls == "require":
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context
