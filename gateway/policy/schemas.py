"""The JSON Schemas of `policies/schema/`, written from the structs that check documents and decisions."""

import json
from collections.abc import Mapping

import msgspec

from gateway.core.verdict import Decision
from gateway.policy.schema import SPEC, Document, json_schema

_SCHEMAS: Mapping[str, tuple[type[msgspec.Struct], str]] = {
    "input.json": (Document, SPEC),
    "decision.json": (Decision, "data.gateway.main.decision"),
}


def schema_texts() -> dict[str, str]:
    """Each file's name and what must stand in it."""
    return {
        name: json.dumps(json_schema(kind, title), indent=1, sort_keys=True) + "\n"
        for name, (kind, title) in _SCHEMAS.items()
    }
