"""The reference page of every setting, made from the schema: `docs/reference/configuration.md`."""

import json
from collections.abc import Iterator

from gateway.config.quantities import ADDRESS_PATTERN, DURATION_PATTERN, SIZE_PATTERN, STORE_PATTERN
from gateway.config.schema import schema
from gateway.core.principal import Json

INTRODUCTION = """\
`querywarden check -c gateway.yaml` validates a file: every error at once, with its line. Unknown keys are refused, and
so is what this version cannot do yet; nothing is silently ignored. Relative paths are taken from the file's folder.
`${VAR}` is not expanded anywhere. Editors complete and check the file with
`# yaml-language-server: $schema=docs/reference/gateway.schema.json` as its first line.

Durations are written `250ms`, `30s`, `15m`, `8h`, `92d` or `1h30m`; sizes `64KiB`, `16MiB` or a number of bytes;
addresses `host:port`. A local store has three slashes before a relative path, four before an absolute one:
`sqlite:///var/state.db`.

A secret stands only as `{env: NAME}`, `{file: path}` or `{command: [program, argument]}`. It is read when it is needed.
Files that hold one must not be readable by everybody.
"""
EXAMPLE = """\
```yaml
version: 1
data_dir: var
listeners:
  postgres: {address: "127.0.0.1:6432", tls: {cert: tls/server.pem, key: tls/server.key}}
identity:
  issuers:
    - issuer: "https://idp.example"
      audience: [querywarden]
      jwks_file: idp/jwks.json
      claims: {subject: sub, groups: groups, on_behalf_of: act}
policy:
  bundle: bundles/pci.tar.gz
  verification_keys: [keys/policy.pub]
connections:
  payments:
    type: postgres
    host: 127.0.0.1
    database: payments
    user: gateway_app
    password: {env: PAYMENTS_PASSWORD}
    tls: {mode: verify-full, ca: tls/ca.pem}
```
"""

_KINDS = {"string": "text", "integer": "number", "boolean": "`true` `false`", "object": "mapping"}
_PATTERNS = {
    DURATION_PATTERN: "duration",
    SIZE_PATTERN: "size",
    ADDRESS_PATTERN: "address",
    STORE_PATTERN: "store",
}


def page(generated: str = "") -> str:
    """The page. `generated` is a line that says who wrote it."""
    document = schema()
    definitions = _mapping(document["$defs"])
    parts = ["# Configuration", *([generated] if generated else []), INTRODUCTION.strip(), EXAMPLE.strip()]
    shown: set[str] = set()
    for path, name in _sections("Settings", "", definitions):
        if name not in shown:  # every listener is the same kind of mapping
            shown.add(name)
            parts.append(_section(path, _mapping(definitions[name])))
    return "\n\n".join(parts) + "\n"


def _sections(name: str, path: str, definitions: dict[str, Json]) -> Iterator[tuple[str, str]]:
    """Each mapping of the file with its path, from the top, depth first."""
    yield path, name
    for key, setting in _mapping(_mapping(definitions[name])["properties"]).items():
        for inner, suffix in _references(setting, ""):
            if inner != "Secret":
                kind = _kind(_mapping(definitions[inner]))
                yield from _sections(inner, f"{path}.{key}{suffix}{kind}".removeprefix("."), definitions)


def _kind(definition: dict[str, Json]) -> str:
    """` (type: file)` of a mapping that is one of several kinds."""
    words = _mapping(_mapping(definition["properties"]).get("type")).get("enum")
    return f" (type: {words[0]})" if isinstance(words, list) and len(words) == 1 else ""


def _references(setting: Json, suffix: str) -> Iterator[tuple[str, str]]:
    """Which mappings a setting holds: itself, in a list (`[]`), or under names (`.NAME`)."""
    node = _mapping(setting)
    if "$ref" in node:
        yield str(node["$ref"]).rpartition("/")[2], suffix
    choices = node.get("anyOf", [])
    plain = [choice for choice in choices if "$ref" in choice] if isinstance(choices, list) else []
    for choice in plain or (choices if isinstance(choices, list) else []):
        yield from _references(choice, suffix)
    if "items" in node:
        yield from _references(node["items"], suffix + "[]")
    if "additionalProperties" in node and "properties" not in node:
        yield from _references(node["additionalProperties"], suffix + ".NAME")


def _section(path: str, definition: dict[str, Json]) -> str:
    required = definition.get("required", [])
    lines = [f"## {f'`{path}`' if path else 'The file'}", "", str(definition["description"]), ""]
    lines += ["| setting | type | default | meaning |", "|---|---|---|---|"]
    for key, setting in _mapping(definition["properties"]).items():
        node = _mapping(setting)
        needed = isinstance(required, list) and key in required
        default = "**required**" if needed else _default(node)
        lines.append(f"| `{key}` | {_type(node)} | {default} | {node['description']} |")
    return "\n".join(lines)


def _default(node: dict[str, Json]) -> str:
    default = node.get("default")
    if default is None or default in ([], {}):
        return ""
    return f"`{default if isinstance(default, str) else json.dumps(default)}`"


def _type(node: dict[str, Json]) -> str:
    """A setting's type in words."""
    if "anyOf" in node:
        choices = node["anyOf"]
        kinds = [_type(choice) for choice in choices if choice != {"type": "null"}] if isinstance(choices, list) else []
        return " or ".join(dict.fromkeys(kinds))
    if "enum" in node and isinstance(node["enum"], list):
        return " ".join(f"`{value}`" for value in node["enum"])
    if "$ref" in node:
        return "secret" if str(node["$ref"]).endswith("/Secret") else "mapping"
    if node["type"] == "array":
        return f"list of {_type(_mapping(node['items']))}"
    return _PATTERNS.get(str(node.get("pattern")), _KINDS[str(node["type"])])


def _mapping(value: Json) -> dict[str, Json]:
    """A part of the schema that is an object."""
    return value if isinstance(value, dict) else {}
