"""`querywarden policy sign`: a bundle with a new signature in place of the one it had."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gateway.cli.policy.moments import moment
from gateway.cli.policy.output import overview, write
from gateway.cli.policy.reporting import SAYS_YES, show
from gateway.policy.build import read_bundle_files, signed
from gateway.policy.keys import load_signing_key


def sign(  # noqa: PLR0913 -- each is an option
    bundle: Path,
    *,
    key: Path,
    keyid: str = "",
    sequence: int = 1,
    not_before: str = "",
    expires_at: str = "",
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Sign a bundle. The policy digest stays; the archive's hash changes with the signature.

    Parameters
    ----------
    bundle
        The archive.
    key
        The private key, PEM: RSA (RS256) or EC on P-256 (ES256).
    keyid
        The key's name, if its file does not say it; else the hash of the public key.
    sequence
        Grows with each release.
    not_before
        From when the signature holds, as 2026-12-31 or 2026-12-31T23:59:59Z.
    expires_at
        Until when it holds; for ever if not given.
    output
        Where to write the signed archive; in place if not given.
    as_json
        Print what was signed as JSON.

    """
    signer = load_signing_key(key, keyid)
    raw = signed(
        read_bundle_files(bundle),
        signer,
        sequence=sequence,
        not_before=moment(not_before, "--not-before") or 0,
        expires_at=moment(expires_at, "--expires-at"),
    )
    place = output or bundle
    write(place, raw)
    show({"bundle": str(place), **overview(raw), "keyid": signer.public.keyid}, as_json=as_json)
    return SAYS_YES
