"""`querywarden policy keygen`: a key pair that signs bundles, as two PEM files."""

import os
from pathlib import Path
from typing import Annotated

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cyclopts import Parameter

from gateway.cli.policy.options import AsJson
from gateway.cli.policy.reporting import SAYS_YES, show
from gateway.policy.keys import public_pem, signing_key

BITS = 3072


def keygen(
    output: Annotated[Path, Parameter(help="Where the private key is written.")],
    *,
    keyid: Annotated[str, Parameter(help="A name for the key, written into both files.")] = "",
    as_json: AsJson = False,
) -> int:
    """Make OUTPUT (private, for its owner only) and OUTPUT.pub. Neither may exist."""
    public = output.with_name(f"{output.name}.pub")
    made = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
    block = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    pem = (f"keyid: {keyid}\n".encode() if keyid else b"") + block
    key = signing_key(pem, str(output), keyid)
    _create(public, public_pem(key.public), 0o644)
    _create(output, pem, 0o600)
    facts = {"private": str(output), "public": str(public), "keyid": key.public.keyid}
    show({**facts, "algorithm": key.public.algorithm}, as_json=as_json)
    return SAYS_YES


def _create(path: Path, content: bytes, mode: int) -> None:
    """A file that did not exist, with its rights from its first byte on."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
