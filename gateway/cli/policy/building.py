"""`querywarden policy build`: rules and site data in one archive, signed if a key is given."""

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gateway.cli.policy.moments import terms_of
from gateway.cli.policy.options import AsJson, ExpiresAt, KeyId, NotBefore, Policies, PrivateKey, Sequence, Tests
from gateway.cli.policy.output import overview, write
from gateway.cli.policy.reporting import SAYS_YES, show
from gateway.core.errors import ConfigError
from gateway.policy.archive import write_archive
from gateway.policy.build import base_of, read_bundle_files, reference_base, signed, with_site
from gateway.policy.compiler import Opa, compile_policy
from gateway.policy.keys import load_signing_key
from gateway.policy.read_site import read_site
from gateway.policy.site import Site
from gateway.policy.vectors import SITE_VECTORS, read_vectors


def build(  # noqa: PLR0913 -- each is an option
    *,
    output: Annotated[Path, Parameter(name=["--output", "-o"], help="Where the archive is written.")],
    site: Annotated[Path | None, Parameter(help="A folder with access.yaml and classification.yaml.")] = None,
    base: Annotated[Path | None, Parameter(help="Take the rules of this bundle, not the released ones.")] = None,
    rebuild: Annotated[bool, Parameter(negative="", help="Compile the rules of --policies; needs opa.")] = False,
    policies: Policies = Path("policies"),
    tests: Tests = Path("rego_tests"),
    revision: Annotated[str | None, Parameter(help="What to call the bundle; as the base if not given.")] = None,
    key: PrivateKey | None = None,
    keyid: KeyId = "",
    sequence: Sequence = 1,
    not_before: NotBefore = "",
    expires_at: ExpiresAt = "",
    as_json: AsJson = False,
) -> int:
    """Build a bundle from the released rules and a folder of site data; without --key, one that is still to be signed.

    Needs no opa, except to rebuild the rules. Without --site nothing is granted.
    """
    if rebuild and base is not None:
        raise ConfigError("config.invalid", "--rebuild compiles the rules and --base takes them: give one of the two")
    if rebuild:
        files = base_of(compile_policy(Opa.find(), policies, tests / "vectors"), revision or "")
    else:
        files = read_bundle_files(base or reference_base())
    own = read_vectors(site / "vectors", SITE_VECTORS) if site else {}
    files = with_site(files, read_site(site) if site else Site(), revision, own)
    terms = terms_of(sequence, not_before, expires_at)
    raw = signed(files, load_signing_key(key, keyid), **terms) if key else write_archive(files)
    write(output, raw)
    show({"bundle": str(output), **overview(raw), "signed": key is not None}, as_json=as_json)
    return SAYS_YES
