"""Witnesses for tests: keys that cosign, and a witness that behaves as C2SP tlog-witness says, or does not."""

import base64
import struct

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from gateway.evidence.cosign import ED25519, ML_DSA_44, WitnessKey
from gateway.evidence.merkle import EMPTY_ROOT, verify_consistency
from gateway.evidence.note import Checkpoint, NoteError, Verifier, open_checkpoint, split_note


class CosigningKey:
    """A witness's private key. Its messages are written out here a second time, from the specification."""

    def __init__(self, name: str = "witness.example/w1", kind: int = ED25519, seed: bytes = b"w" * 32) -> None:
        self.ed25519 = Ed25519PrivateKey.from_private_bytes(seed)
        self.ml_dsa = MLDSA44PrivateKey.from_seed_bytes(seed)
        self.kind = kind
        public = self.ed25519.public_key() if kind == ED25519 else self.ml_dsa.public_key()
        self.key = WitnessKey(name, kind, public.public_bytes_raw())

    def line(self, text: str, at: int) -> str:
        """The signature line over a checkpoint's text."""
        if self.kind == ML_DSA_44:
            origin, size, root = text.split("\n")[:3]
            name, log = self.key.name.encode(), origin.encode()
            message = b"subtree/v1\n\x00" + struct.pack(f">B{len(name)}sQ", len(name), name, at)
            message += struct.pack(f">B{len(log)}sQQ", len(log), log, 0, int(size)) + base64.b64decode(root)
            made = self.ml_dsa.sign(message)
        else:
            made = self.ed25519.sign(b"cosignature/v1\ntime %d\n" % at + text.encode())
        return f"— {self.key.name} {base64.b64encode(self.key.key_id + struct.pack('>Q', at) + made).decode()}"


class StrictWitness:
    """Answers `add-checkpoint` as the specification wants it."""

    def __init__(self, signer: CosigningKey, log: Verifier, at: int) -> None:
        self.signer = signer
        self.log = log
        self.at = at
        self.seen = Checkpoint(log.name, 0, EMPTY_ROOT)
        self.asked: list[bytes] = []

    def answer(self, body: bytes) -> tuple[int, bytes]:
        """Status and body."""
        self.asked.append(body)
        head, blank, note = body.partition(b"\n\n")
        first, *proof = head.decode().split("\n")
        if not blank or not first.startswith("old ") or len(proof) > 63:
            return 400, b""
        if note.split(b"\n")[0].decode() != self.log.name:
            return 404, b""
        try:
            checkpoint = open_checkpoint(note, self.log)
        except NoteError:
            return 403, b""
        return self._compared(checkpoint, int(first.removeprefix("old ")), proof, split_note(note)[0])

    def _compared(self, checkpoint: Checkpoint, old: int, proof: list[str], text: str) -> tuple[int, bytes]:
        if old > checkpoint.size:
            return 400, b""
        if old != self.seen.size or (old == checkpoint.size and checkpoint.root != self.seen.root):
            return 409, f"{self.seen.size}\n".encode()
        hashes = [base64.b64decode(line) for line in proof]
        if not verify_consistency(old, self.seen.root, checkpoint.size, checkpoint.root, hashes):
            return 422, b""
        self.seen = checkpoint
        return 200, (self.signer.line(text, self.at) + "\n").encode()
