"""A certificate authority of its own for each test run, and server certificates for the loopback addresses."""

from dataclasses import dataclass
from pathlib import Path

import trustme

NAMES = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class ServerTls:
    """Paths of PEM files: the authority clients trust, and what the server shows."""

    ca: Path
    cert: Path
    key: Path


def issue(folder: Path, authority: trustme.CA | None = None) -> ServerTls:
    """Write `ca.pem`, `server.pem` (chain) and `server.key` (mode 0600) into `folder`."""
    ca = authority or trustme.CA()
    leaf = ca.issue_cert(*NAMES)
    paths = ServerTls(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    ca.cert_pem.write_to_path(str(paths.ca))
    paths.cert.write_bytes(b"".join(blob.bytes() for blob in leaf.cert_chain_pems))
    paths.key.touch(mode=0o600)
    leaf.private_key_pem.write_to_path(str(paths.key))
    return paths
