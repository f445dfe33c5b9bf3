"""Options that several policy commands share, each described once."""

from pathlib import Path
from typing import Annotated, TypeAlias

from cyclopts import Parameter

Policies: TypeAlias = Annotated[Path, Parameter(help="The folder with gateway/, schema/ and capabilities.json.")]
Tests: TypeAlias = Annotated[Path, Parameter(help="The folder with the tests of the rules.")]
AsJson: TypeAlias = Annotated[bool, Parameter(name="--json", negative="", help="Print what was found as JSON.")]
PrivateKey: TypeAlias = Annotated[
    Path, Parameter(help="The private key, PEM: RSA of 2048 bits or more (RS256), or EC on P-256 (ES256).")
]
KeyId: TypeAlias = Annotated[
    str, Parameter(help="The key's name, if its file does not say it; else the hash of its public half.")
]
Sequence: TypeAlias = Annotated[int, Parameter(help="Grows with each release.")]
NotBefore: TypeAlias = Annotated[
    str, Parameter(help="From when the signature holds, as 2026-12-31 or 2026-12-31T23:59:59Z; at once if not given.")
]
ExpiresAt: TypeAlias = Annotated[str, Parameter(help="Until when the signature holds; for ever if not given.")]
