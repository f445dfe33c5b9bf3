"""The log's keys: files that only we can read, one signing key and one MAC key for each epoch of the log.

An epoch ends only when the log can no longer go on from its last signed checkpoint; its key is then never used again.
"""

import hmac
from pathlib import Path
from typing import Final, NamedTuple

from gateway.core.ids import random_bytes
from gateway.evidence.files import create_file, make_folder, put_file, read_file
from gateway.evidence.note import NoteError, Signer, Verifier

DEFAULT_NAME: Final = "querywarden.local"
MAC_SIZE: Final = 32
MAX_KEY: Final = 4096
"""bytes of a key's file"""


class MacKey:
    """Binds exact statement texts and values without storing them: HMAC-SHA-256 under the epoch's key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __repr__(self) -> str:
        """Nothing secret."""
        return "MacKey()"

    def mac(self, data: bytes) -> str:
        """`hmac:` and 64 hexadecimal digits."""
        return f"hmac:{hmac.digest(self._key, data, 'sha256').hex()}"


class EpochKeys(NamedTuple):
    """The keys of one epoch."""

    epoch: int
    signer: Signer
    mac_key: MacKey


def epochs(keys: Path) -> list[int]:
    """Numbers of the epochs that have a signing key, oldest first."""
    numbers = [path.name.removeprefix("log-").removesuffix(".key") for path in keys.glob("log-*.key")]
    return sorted(int(number) for number in numbers if number.isdecimal())


def load_keys(keys: Path, epoch: int) -> EpochKeys:
    """Read the keys of an epoch. Raises OSError and ValueError (NoteError when the key is no key)."""
    signer = Signer.decode(read_file(keys / f"log-{epoch}.key", MAX_KEY).decode("ascii"))
    secret = bytes.fromhex(read_file(keys / f"mac-{epoch}.key", MAX_KEY).decode("ascii").strip())
    if len(secret) != MAC_SIZE:
        raise ValueError("not a MAC key")
    return EpochKeys(epoch, signer, MacKey(secret))


def create_keys(keys: Path, epoch: int, name: str = "") -> EpochKeys:
    """Make the keys of a new epoch, named `<name>/<random>/<epoch>`, and write them. Raises OSError."""
    make_folder(keys)
    signer = Signer(f"{name or DEFAULT_NAME}/{random_bytes(8).hex()}/{epoch}", random_bytes(32))
    secret = random_bytes(MAC_SIZE)
    create_file(keys / f"mac-{epoch}.key", secret.hex().encode())
    create_file(keys / f"log-{epoch}.key", signer.encode().encode())  # last: it makes the epoch exist
    put_file(public_key(keys, epoch), f"{signer.verifier.encode()}\n".encode(), sync=True)
    return EpochKeys(epoch, signer, MacKey(secret))


def public_key(keys: Path, epoch: int) -> Path:
    """Where the public key of an epoch lies: to be given to whoever verifies the log."""
    return keys / f"log-{epoch}.pub"


def load_verifier(path: Path) -> Verifier:
    """Read a public key. Raises OSError and NoteError."""
    try:
        return Verifier.decode(read_file(path, MAX_KEY).decode())
    except UnicodeDecodeError as error:
        raise NoteError("not a key of a signed note") from error


def find_verifier(keys: Path, origin: str) -> Verifier | None:
    """The public key of the log of that name; None when it is not among these. Raises OSError and NoteError."""
    verifiers = map(load_verifier, sorted(keys.glob("log-*.pub")))
    return next((verifier for verifier in verifiers if verifier.name == origin), None)
