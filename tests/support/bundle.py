"""What the tests' organisation says of its data, and the signed bundle made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import yaml

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


def write_signed_bundle(folder: Path, site: Site) -> None:
    """`bundle.tar.gz`, signed, and `policy.pub` in `folder`."""
    site.write(folder / "site")
    raise NotImplementedError
