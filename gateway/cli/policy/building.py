"""`querywarden policy build`: rules and site data in one archive, signed if a key is given."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gateway.cli.policy.moments import moment
from gateway.cli.policy.output import overview, write
from gateway.cli.policy.reporting import SAYS_YES, show
from gateway.core.errors import ConfigError
from gateway.policy.archive import write_archive
from gateway.policy.build import base_of, read_bundle_files, reference_base, signed, with_site
from gateway.policy.compiler import Opa, compile_policy
from gateway.policy.keys import load_signing_key
from gateway.policy.read_site import read_site
from gateway.policy.site import Site


def build(  # noqa: PLR0913 -- each is an option
    *,
    site: Path | None = None,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    base: Path | None = None,
    rebuild: Annotated[bool, Parameter(negative="")] = False,
    policies: Path = Path("policies"),
    revision: str | None = None,
    key: Path | None = None,
    keyid: str = "",
    sequence: int = 1,
    not_before: str = "",
    expires_at: str = "",
    as_json: Annotated[bool, Parameter(name="--json", negative="")] = False,
) -> int:
    """Build a bundle from the released rules and a folder of site data. Needs no opa, except to rebuild the rules.

    Parameters
    ----------
    site
        The folder with access.yaml and classification.yaml. Without it nothing is granted.
    output
        Where the archive is written.
    base
        Take the rules of this bundle instead of the released ones.
    rebuild
        Compile the rules of --policies instead; needs opa.
    policies
        The folder with gateway/ and capabilities.json.
    revision
        What to call the bundle; the base's own revision if not given.
    key
        Sign with this private key, PEM. Without it the bundle must be signed before it can be used.
    keyid
        The key's name, if its file does not say it.
    sequence
        Grows with each release.
    not_before
        From when the signature holds, as 2026-12-31 or 2026-12-31T23:59:59Z.
    expires_at
        Until when it holds; for ever if not given.
    as_json
        Print what was built as JSON.

    """
    if rebuild and base is not None:
        raise ConfigError("config.invalid", "--rebuild compiles the rules and --base takes them: give one of the two")
    if rebuild:
        files = base_of(compile_policy(Opa.find(), policies), revision or "")
    else:
        files = read_bundle_files(base or reference_base())
    files = with_site(files, read_site(site) if site else Site(), revision)
    if key is None:
        raw = write_archive(files)
    else:
        raw = signed(
            files,
            load_signing_key(key, keyid),
            sequence=sequence,
            not_before=moment(not_before, "--not-before") or 0,
            expires_at=moment(expires_at, "--expires-at"),
        )
    write(output, raw)
    show({"bundle": str(output), **overview(raw), "signed": key is not None}, as_json=as_json)
    return SAYS_YES
