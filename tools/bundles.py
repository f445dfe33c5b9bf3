"""Write bundles/ from policies/ with the opa of tools/build.sh, and the schemas: `python -m tools.bundles [--check]`.

Every byte of it follows from the tree: two machines write the same archives. `--check` writes nothing and exits 1 when
a file is stale, naming it.
"""

import hashlib
import sys
from pathlib import Path

from gateway.policy.archive import write_archive
from gateway.policy.build import base_of, signed, with_site
from gateway.policy.compiler import Opa, compile_policy
from gateway.policy.keys import load_signing_key, public_pem
from gateway.policy.read_site import read_site
from gateway.policy.schemas import schema_texts

ROOT = Path(__file__).resolve().parents[1]
REFERENCE_REVISION = "reference-1"
DEMO_REVISION = "demo-1"
DEMO_KEY = ROOT / "bundles" / "demo" / "not-secret-demo-signing-key.pem"
ABOUT_LOCK = "# name, revision, sha256 of the released archives. Written by `python -m tools.bundles`; do not edit.\n"


def contents() -> dict[str, bytes]:
    """Every generated file, by its path in the tree."""
    base = base_of(compile_policy(Opa.find(), ROOT / "policies", ROOT / "rego_tests/vectors"), REFERENCE_REVISION)
    demo = with_site(base, read_site(ROOT / "bundles" / "demo" / "site"), DEMO_REVISION)
    key = load_signing_key(DEMO_KEY)
    archives = {
        "reference/base.tar.gz": (REFERENCE_REVISION, write_archive(base)),
        "demo/bundle.tar.gz": (DEMO_REVISION, signed(demo, key)),
    }
    lines = [f"{name} {revision} {hashlib.sha256(raw).hexdigest()}\n" for name, (revision, raw) in archives.items()]
    return {
        **{f"bundles/{name}": raw for name, (_, raw) in archives.items()},
        "bundles/demo/policy.pub": public_pem(key.public),
        "bundles/bundles.lock": (ABOUT_LOCK + "".join(sorted(lines))).encode(),
        **{f"policies/schema/{name}": text.encode() for name, text in schema_texts().items()},
    }


def stale() -> dict[str, bytes]:
    """The generated files that are not what the tree says now."""
    return {
        name: raw
        for name, raw in contents().items()
        if not (ROOT / name).is_file() or (ROOT / name).read_bytes() != raw
    }


def main(arguments: list[str]) -> int:
    """Write, or check."""
    found = stale()
    for name, raw in found.items():
        print(f"{name}: {'stale' if '--check' in arguments else 'written'}")
        if "--check" not in arguments:
            (ROOT / name).write_bytes(raw)
    return 1 if found and "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
