"""Signed notes and checkpoints: C2SP signed-note with Ed25519 (type 0x01), C2SP tlog-checkpoint.

A note is text that ends in a newline, an empty line, and signature lines `— <name> <base64(key id ‖ signature)>`.
The key id is the first four bytes of SHA-256(name ‖ 0x0A ‖ 0x01 ‖ public key). A checkpoint is a note of three lines:
origin, size, root. Keys are written as Go's sumdb/note writes them: `<name>+<key id>+<base64(0x01 ‖ key)>`.
"""

import base64
import binascii
import hashlib
import re
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.evidence.merkle import HASH_SIZE

_ED25519: Final = b"\x01"
_KEY_SIZE: Final = 32
_ID_SIZE: Final = 4
_DASH: Final = "— "
MAX_NOTE: Final = 1 << 20
_SIZE: Final = re.compile("0|[1-9][0-9]{0,18}")
"""below 2**63, and in one spelling"""
MAX_SIGNATURES: Final = 100


class NoteError(ValueError):
    """The bytes are no note, or no key, or no signature of a known key is good. The text says which."""


class Verifier:
    """A public key and the name it signs under."""

    def __init__(self, name: str, public: bytes) -> None:
        if not name or any(c.isspace() or c == "+" for c in name) or len(public) != _KEY_SIZE:
            raise NoteError("not a key of a signed note")
        self.name = name
        self.public = public
        self.key_id = hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:_ID_SIZE]
        self._key = Ed25519PublicKey.from_public_bytes(public)

    @classmethod
    def decode(cls, text: str) -> "Verifier":
        """Read `<name>+<id>+<key>`. Raises NoteError."""
        name, key_id, key = _split_ed25519(text.strip())
        verifier = cls(name, key)
        if verifier.key_id.hex() != key_id:
            raise NoteError("the key does not have the id it claims")
        return verifier

    def encode(self) -> str:
        """`<name>+<id>+<key>`, to be published."""
        return f"{self.name}+{self.key_id.hex()}+{b64(_ED25519 + self.public)}"

    def accepts(self, text: bytes, signature: bytes) -> bool:
        """Whether this key signed the text."""
        try:
            self._key.verify(signature, text)
        except InvalidSignature:
            return False
        return True


class Signer:
    """A private key and the name it signs under. Its repr shows the public part only."""

    def __init__(self, name: str, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self._seed = seed
        self.verifier = Verifier(name, self._key.public_key().public_bytes_raw())

    def __repr__(self) -> str:
        """Nothing secret."""
        return f"Signer({self.verifier.encode()})"

    @classmethod
    def decode(cls, text: str) -> "Signer":
        """Read `PRIVATE+KEY+<name>+<id>+<seed>`. Raises NoteError."""
        prefix = "PRIVATE+KEY+"
        if not text.startswith(prefix):
            raise NoteError("not a private key of a signed note")
        name, key_id, seed = _split_ed25519(text.removeprefix(prefix).strip())
        signer = cls(name, seed)
        if signer.verifier.key_id.hex() != key_id:
            raise NoteError("the key does not have the id it claims")
        return signer

    def encode(self) -> str:
        """`PRIVATE+KEY+…`: a secret, for a file that only we can read."""
        verifier = self.verifier
        return f"PRIVATE+KEY+{verifier.name}+{verifier.key_id.hex()}+{b64(_ED25519 + self._seed)}"

    def sign(self, text: str) -> bytes:
        """The note over `text`, which ends in a newline. The same text gives the same bytes."""
        if not text.endswith("\n") or any(c < " " and c != "\n" for c in text):
            raise NoteError("the text of a note ends in a newline and has no other control character")
        signature = self.verifier.key_id + self._key.sign(text.encode())
        return f"{text}\n{_DASH}{self.verifier.name} {b64(signature)}\n".encode()

    def signature(self, data: bytes) -> bytes:
        """The bare signature over `data`, which must not be readable as the text of a note (`dsse.py` sees to that)."""
        return self._key.sign(data)


class Note(NamedTuple):
    """A note whose signature was verified."""

    text: str
    signed_by: tuple[str, ...]
    """names of the known keys whose signatures are good"""
    others: int
    """signatures by keys we do not know; they say nothing"""


def open_note(data: bytes, verifiers: list[Verifier]) -> Note:
    """Verify a note. Raises NoteError when no known key signed it, or when a known key's signature is wrong."""
    text, lines = split_note(data)
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    good: list[str] = []
    others = 0
    for line in lines:
        name, key_id, signature = split_signature(line)
        verifier = known.get((name, key_id))
        if verifier is None:
            others += 1
        elif not verifier.accepts(text.encode(), signature):
            raise NoteError(f"the signature of {name} is wrong")
        elif name not in good:
            good.append(name)
    if not good:
        raise NoteError("no known key has signed this note")
    return Note(text, tuple(good), others)


def split_note(data: bytes) -> tuple[str, list[str]]:
    """Text and signature lines of a note, of which nothing is verified. Raises NoteError."""
    if len(data) > MAX_NOTE:
        raise NoteError("the note is too large")
    try:
        whole = data.decode()
    except UnicodeDecodeError as error:
        raise NoteError("the note is not UTF-8") from error
    text, blank, signatures = whole.rpartition("\n\n")
    lines = signatures.removesuffix("\n").split("\n")
    if not blank or not signatures.endswith("\n") or any(c < " " and c != "\n" for c in whole):
        raise NoteError("not a signed note")
    if len(lines) > MAX_SIGNATURES:
        raise NoteError("too many signatures")
    return text + "\n", lines


def split_signature(line: str) -> tuple[str, bytes, bytes]:
    """Name, key id and signature of a line. Raises NoteError."""
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    signature = unb64(encoded)
    if not line.startswith(_DASH) or not name or not space or len(signature) <= _ID_SIZE:
        raise NoteError("not a signature line")
    return name, signature[:_ID_SIZE], signature[_ID_SIZE:]


def split_key(text: str) -> tuple[str, str, bytes]:
    """Name, key id in hex, and key of `<name>+<id>+<key>`; the key begins with the byte of its type. NoteError."""
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    return name, key_id, unb64(encoded)


def _split_ed25519(text: str) -> tuple[str, str, bytes]:
    name, key_id, key = split_key(text)
    if key[:1] != _ED25519 or len(key) != 1 + _KEY_SIZE:
        raise NoteError("not an Ed25519 key of a signed note")
    return name, key_id, key[1:]


class Checkpoint(NamedTuple):
    """A tree head: which log, how many leaves, which root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{b64(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Read the text of a note; extension lines are passed over. Raises NoteError."""
        lines = text.split("\n")
        if len(lines) < len(("origin", "size", "root", "")) or not all(lines[:-1]):
            raise NoteError("not a checkpoint")
        origin, size, root = lines[0], lines[1], unb64(lines[2])
        if not (_SIZE.fullmatch(size) and len(root) == HASH_SIZE):
            raise NoteError("not a checkpoint")
        return cls(origin, int(size), root)


def open_checkpoint(data: bytes, verifier: Verifier) -> Checkpoint:
    """Verify a checkpoint that the log's own key must have signed. Raises NoteError."""
    checkpoint = Checkpoint.parse(open_note(data, [verifier]).text)
    if checkpoint.origin != verifier.name:
        raise NoteError("the checkpoint is of another log")
    return checkpoint


def b64(data: bytes) -> str:
    """Standard base64."""
    return base64.b64encode(data).decode("ascii")


def unb64(text: str) -> bytes:
    """Strict base64: whatever decodes to the same bytes in another spelling is refused. Raises NoteError."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise NoteError("not base64") from error
    if b64(data) != text:
        raise NoteError("not base64")
    return data
