"""What the tests' organisation says of its data, and the signed bundle made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType

import yaml
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.policy.build import read_bundle_files, reference_base, signed, with_site
from gateway.policy.keys import SigningKey, public_pem, signing_key
from gateway.policy.read_site import read_site

CASE_LABELS: Mapping[str, Mapping[str, Sequence[str]]] = MappingProxyType(
    {
        "public.cards": {"pan": ["pan"], "cvv": ["cvv"]},
        "archive.cards": {"acct": ["pan"]},
        "public.card_parts": {"pan": ["pan"]},
        "public.num_cards": {"pan": ["pan"], "pan_num": ["pan"], "pan_raw": ["pan"]},
    }
)
"""The labels the cases ask for. Views and partitions are not listed: the gateway derives them."""


@dataclass(frozen=True, slots=True)
class Site:
    """The two files of site data."""

    classification: Mapping[str, Mapping[str, Mapping[str, Sequence[str]]]] = field(default_factory=dict)
    access: Mapping[str, object] = field(default_factory=dict)

    def write(self, folder: Path) -> Path:
        """`classification.yaml` and `access.yaml` in `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in (("classification", self.classification), ("access", self.access)):
            (folder / f"{name}.yaml").write_text(yaml.safe_dump(_plain(content)), encoding="utf-8")
        return folder


def _plain(value: object) -> object:
    match value:
        case Mapping():
            return {key: _plain(part) for key, part in value.items()}
        case list() | tuple():
            return [_plain(part) for part in value]
    return value


def everything_but_clear(*connections: str, **more: object) -> Site:
    """Group `agents` may do everything everywhere, but sees labelled columns masked."""
    grant = {"groups": ["agents"], "connections": list(connections), "relations": ["*"], "actions": ["*"]}
    access: dict[str, object] = {"grants": [grant], "masks": {"pan": "last4", "cvv": "null"}, **more}
    return Site(dict.fromkeys(connections, CASE_LABELS), access)


@cache
def bundle_key() -> SigningKey:
    """The key that signs the bundles of one test run. Not the demo's: `serve` refuses that one."""
    made = ec.generate_private_key(ec.SECP256R1())
    pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return signing_key(pem, keyid="tests")


@cache
def reference_files() -> Mapping[str, bytes]:
    """The released rules, compiled; no site data."""
    return MappingProxyType(read_bundle_files(reference_base()))


def signed_bundle(folder: Path, site: Site, **claims: int) -> bytes:
    """The archive of the released rules with `site`, whose files are written to a folder in `folder`."""
    return signed(with_site(reference_files(), read_site(site.write(folder / "site"))), bundle_key(), **claims)


def write_signed_bundle(folder: Path, site: Site) -> None:
    """`bundle.tar.gz`, signed, and `policy.pub` in `folder`."""
    (folder / "bundle.tar.gz").write_bytes(signed_bundle(folder, site))
    (folder / "policy.pub").write_bytes(public_pem(bundle_key().public))
