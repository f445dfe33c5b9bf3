"""`querywarden policy sign`: a bundle with a new signature in place of the one it had."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gateway.cli.policy.moments import terms_of
from gateway.cli.policy.options import AsJson, ExpiresAt, KeyId, NotBefore, PrivateKey, Sequence
from gateway.cli.policy.output import overview, write
from gateway.cli.policy.reporting import SAYS_YES, show
from gateway.policy.build import read_bundle_files, signed
from gateway.policy.keys import load_signing_key


def sign(  # noqa: PLR0913 -- each is an option
    bundle: Annotated[Path, Parameter(help="The archive.")],
    *,
    key: PrivateKey,
    keyid: KeyId = "",
    sequence: Sequence = 1,
    not_before: NotBefore = "",
    expires_at: ExpiresAt = "",
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], help="Where to write; else in place.")] = None,
    as_json: AsJson = False,
) -> int:
    """Sign a bundle, replacing any signature it has. The policy digest stays; the archive's hash changes."""
    signer = load_signing_key(key, keyid)
    raw = signed(read_bundle_files(bundle), signer, **terms_of(sequence, not_before, expires_at))
    place = output or bundle
    write(place, raw)
    show({"bundle": str(place), **overview(raw), "keyid": signer.public.keyid}, as_json=as_json)
    return SAYS_YES
