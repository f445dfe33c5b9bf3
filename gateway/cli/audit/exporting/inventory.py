"""Keys and certificates that the configuration names: public parts, and how long a certificate holds (3.6, 3.7)."""

from collections.abc import Iterator
from pathlib import Path

from cryptography import x509

from gateway.cli.audit.exporting.operation import KeyEntry
from gateway.config.settings import Settings
from gateway.config.witnesses import witness_keys
from gateway.core.errors import GatewayError
from gateway.evidence.recording.keys import load_recipient
from gateway.policy.bundle import load_key

UNREADABLE = "cannot be read"


def configured_keys(settings: Settings) -> Iterator[KeyEntry]:
    """Each key, whether it can be read or not: one that cannot is named by its file."""
    for path in settings.policy.verification_keys:
        yield _bundle_key(path)
    for path in settings.evidence.recording.recipients:
        yield _recipient(path)
    for key in witness_keys(settings.evidence):
        yield KeyEntry(use="a witness cosigns the log with it", name=key.encode())
    listeners = settings.listeners
    for listener in [*listeners.for_postgres, *([listeners.http] if listeners.http else [])]:
        if listener.tls is not None:
            yield _certificate(listener.tls.cert, f"TLS certificate of {listener.address}")


def _bundle_key(path: Path) -> KeyEntry:
    use = "signatures of policy bundles are believed by it"
    try:
        key = load_key(path)
    except (GatewayError, OSError):
        return KeyEntry(use=use, name=f"{path.name}: {UNREADABLE}")
    return KeyEntry(use=f"{use}, until it was revoked" if key.revoked else use, name=f"{key.keyid} {key.fingerprint}")


def _recipient(path: Path) -> KeyEntry:
    use = "recordings are encrypted to it"
    try:
        return KeyEntry(use=use, name=load_recipient(path).fingerprint)
    except (GatewayError, OSError, ValueError):
        return KeyEntry(use=use, name=f"{path.name}: {UNREADABLE}")


def _certificate(path: Path, use: str) -> KeyEntry:
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())[0]
    except (OSError, ValueError, IndexError):
        return KeyEntry(use=use, name=f"{path.name}: {UNREADABLE}")
    return KeyEntry(
        use=use,
        name=found.subject.rfc4514_string() or f"serial {found.serial_number:x}",
        since=f"{found.not_valid_before_utc:%Y-%m-%d %H:%M:%S}Z",
        until=f"{found.not_valid_after_utc:%Y-%m-%d %H:%M:%S}Z",
    )
