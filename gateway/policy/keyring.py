"""The keys whose signatures are believed: files that are read again when they change, less those that were revoked."""

from collections.abc import Sequence
from pathlib import Path

from gateway.policy.bundle import Bundle, open_bundle
from gateway.policy.keys import VerificationKey, load_key


class Keyring:
    """Files of public keys, and the ids and fingerprints that the configuration revokes."""

    def __init__(self, paths: Sequence[Path], revoked: Sequence[str] = ()) -> None:
        self._paths = tuple(paths)
        self._revoked = frozenset(revoked)
        self._seen = self._stamp()

    def open(self, raw: bytes, now_s: int) -> Bundle:
        """The bundle, if a key signed it that is believed now. Raises BundleRejected, ConfigError."""
        self._seen = self._stamp()
        return open_bundle(raw, self.keys(), now_s, self._revoked)

    def keys(self) -> list[VerificationKey]:
        """As the files say now. Raises ConfigError when one cannot be read: then no signature is believed."""
        return [load_key(path) for path in self._paths]

    def believed(self) -> list[VerificationKey]:
        """Those that are not revoked. Raises ConfigError."""
        return [key for key in self.keys() if not key.revoked and not {key.keyid, key.fingerprint} & self._revoked]

    def moved(self) -> bool:
        """Whether a file changed since a bundle was last opened with it."""
        return self._stamp() != self._seen

    def _stamp(self) -> tuple[object, ...]:
        return tuple(_stamp(path) for path in self._paths)


def _stamp(path: Path) -> tuple[int, ...]:
    try:
        found = path.stat()
    except OSError:
        return ()
    return (found.st_mtime_ns, found.st_size, found.st_ino)
