"""The JSON Schema of `gateway.yaml`, for editors and for `docs/reference/gateway.schema.json`."""

import json
from pathlib import Path

import msgspec

from gateway.config.quantities import (
    ADDRESS_PATTERN,
    DURATION_PATTERN,
    SIZE_PATTERN,
    STORE_PATTERN,
    Address,
    Duration,
    Location,
    Size,
    StoreUrl,
)
from gateway.config.settings import Settings
from gateway.core.principal import Json

_TYPES: dict[type, dict[str, Json]] = {
    Duration: {"type": "string", "pattern": DURATION_PATTERN, "examples": ["15m", "250ms"]},
    Size: {
        "anyOf": [{"type": "string", "pattern": SIZE_PATTERN}, {"type": "integer", "minimum": 0}],
        "examples": ["16MiB"],
    },
    Address: {"type": "string", "pattern": ADDRESS_PATTERN, "examples": ["127.0.0.1:6432"]},
    StoreUrl: {"type": "string", "pattern": STORE_PATTERN, "examples": ["sqlite:///var/state.db"]},
    Location: {"type": "string", "minLength": 1},
    Path: {"type": "string", "minLength": 1},
}


def schema() -> dict[str, Json]:
    """The schema, draft 2020-12."""
    (top,), definitions = msgspec.json.schema_components([Settings], schema_hook=_TYPES.__getitem__)
    definitions = {name: _without_notes_of_others(part) for name, part in definitions.items()}
    definitions["Secret"] = _exactly_one(definitions["Secret"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "gateway.yaml",
        **top,
        "$defs": {name: definitions[name] for name in sorted(definitions)},
    }


def _without_notes_of_others(node: Json) -> Json:
    """Without `discriminator`, which is OpenAPI's; the key it names is described here, since no setting does."""
    if isinstance(node, list):
        return [_without_notes_of_others(part) for part in node]
    if not isinstance(node, dict):
        return node
    kept = {name: _without_notes_of_others(part) for name, part in node.items() if name != "discriminator"}
    properties = kept.get("properties")
    if isinstance(properties, dict) and "type" in properties:
        kind = properties["type"]
        if isinstance(kind, dict) and "enum" in kind and "description" not in kind:
            kept["properties"] = {**properties, "type": {"description": "What kind it is.", **kind}}
    return kept


def _exactly_one(mapping: dict[str, Json]) -> dict[str, Json]:
    """Of the keys of a mapping that may all be left out, one must be given, and it must say something."""
    properties = mapping["properties"]
    given = {name: _said(setting) for name, setting in properties.items()} if isinstance(properties, dict) else {}
    return {**mapping, "properties": given, "minProperties": 1, "maxProperties": 1}


def _said(setting: Json) -> Json:
    """A setting without the null that stands for its absence."""
    match setting:
        case {"anyOf": [dict(kind), {"type": "null"}], "description": description}:
            return {"description": description, **kind}
    return setting


def schema_text() -> str:
    """The schema as the published file has it."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
