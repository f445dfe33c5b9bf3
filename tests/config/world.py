"""A configuration that is right, in a folder that has every file it names, and ways to make it wrong."""

from copy import deepcopy
from pathlib import Path

import yaml

from gateway.config.load import Examination, examine
from gateway.policy.keys import public_pem
from tests.support import certificates
from tests.support.bundle import bundle_key
from tests.support.identity import Issuer

GOOD = """\
version: 1
listeners:
  postgres: {address: "127.0.0.1:6432", tls: {cert: server.pem, key: server.key}}
identity:
  issuers:
    - issuer: "https://idp.test"
      audience: [querywarden]
      jwks_file: jwks.json
policy:
  bundle: bundle.tar.gz
  verification_keys: [policy.pub]
connections:
  payments:
    type: postgres
    host: 127.0.0.1
    database: payments
    user: gateway_app
    password: {env: PAYMENTS_PASSWORD}
    tls: {mode: verify-full, ca: ca.pem}
"""


def furnish(folder: Path) -> Path:
    """Every file that `GOOD` names."""
    certificates.issue(folder)
    Issuer().write_jwks(folder / "jwks.json")
    (folder / "policy.pub").write_bytes(public_pem(bundle_key().public))
    (folder / "bundle.tar.gz").touch()
    return folder


def read(folder: Path, text: str) -> Examination:
    """What becomes of a text."""
    path = folder / "gateway.yaml"
    path.write_text(text, encoding="utf-8")
    return examine(path)


def changed(where: str, value: object, base: str = GOOD) -> str:
    """A text in which the setting `where` (dotted; numbers are positions) has another value."""
    document = deepcopy(yaml.safe_load(base))
    *path, last = [int(part) if part.isdecimal() else part for part in where.split(".")]
    inner = document
    for part in path:
        inner = inner[part] if isinstance(part, int) else inner.setdefault(part, {})
    inner[last] = value
    return yaml.safe_dump(document, sort_keys=False)


def told(folder: Path, text: str) -> list[str]:
    """Findings without the file's name: `line: text`."""
    prefix = f"{folder / 'gateway.yaml'}:"
    return [finding.removeprefix(prefix) for finding in read(folder, text).findings]


def warned(folder: Path, text: str) -> list[str]:
    """The same of warnings, of a text that can be used."""
    result = read(folder, text)
    assert result.findings == ()
    return [warning.removeprefix(f"{folder / 'gateway.yaml'}:") for warning in result.warnings]
