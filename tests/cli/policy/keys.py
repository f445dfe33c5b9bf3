"""A key pair on disk, and a place that is a policy's."""

from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.policy.keys import public_pem, signing_key

ROOT = Path(__file__).resolve().parents[3]
DEMO_SITE = ROOT / "bundles" / "demo" / "site"
GOOD = """\
# METADATA
# title: Composition
# schemas:
#   - input: schema.input
package gateway.main

default allowed := false

allowed if input.action.name == "select"

# METADATA
# title: The decision
# entrypoint: true
# custom:
#   code: access.not_covered
#   effect: deny
#   message: no rule covers it
#   controls: [PCI-DSS-4.0.1/7.2.1]
#   severity: high
#   remedy: Ask.
decision := {"outcome": "allow"} if allowed
"""
TEST = """\
package gateway.main_test

import data.gateway.main

test_select if main.decision.outcome == "allow" with input.action.name as "select"

test_nothing_else if not main.decision with input.action.name as "drop"
"""


@cache
def rsa_pem(keyid: str) -> bytes:
    """A private key that is made once: RSA takes its time."""
    made = rsa.generate_private_key(65537, 2048)
    return f"keyid: {keyid}\n".encode() + made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def make_keys(folder: Path, keyid: str = "acme") -> tuple[str, str]:
    """Private and public, as paths."""
    private, public = folder / f"{keyid}.key", folder / f"{keyid}.key.pub"
    private.write_bytes(rsa_pem(keyid))
    public.write_bytes(public_pem(signing_key(rsa_pem(keyid)).public))
    return str(private), str(public)


def make_policy(folder: Path, rego: str = GOOD, test: str = TEST) -> list[str]:
    """A small policy with its test; the options that name them."""
    policies, tests = folder / "policies", folder / "rego_tests"
    (policies / "gateway" / "main").mkdir(parents=True)
    (policies / "schema").mkdir()
    (tests / "main").mkdir(parents=True)
    (policies / "gateway" / "main" / "main.rego").write_text(rego)
    (policies / "gateway" / "data.json").write_text('{"lib": {}}')
    (policies / ".manifest").write_text('{"roots": ["gateway", "site"], "rego_version": 1}')
    for name in ("capabilities.json", "schema/input.json", "schema/decision.json"):
        (policies / name).write_bytes((ROOT / "policies" / name).read_bytes())
    (tests / "main" / "main_test.rego").write_text(test)
    return ["--policies", str(policies), "--tests", str(tests)]
