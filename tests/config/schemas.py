"""As much of JSON Schema (draft 2020-12) as the published schema uses; anything else fails the test that meets it."""

import re
from collections.abc import Callable, Mapping

Schema = Mapping[str, object]
_TYPES: dict[object, type | tuple[type, ...]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}
NOTES = {"$schema", "$defs", "title", "description", "default", "examples"}


def accepts(document: Schema, value: object) -> bool:
    """Whether a schema takes a value."""
    return _Validator(document).fits(document, value)


class _Validator:
    def __init__(self, document: Schema) -> None:
        self._document = document
        self._checks: dict[str, Callable[[object, object], bool]] = {
            "$ref": lambda wanted, value: self.fits(self._definition(str(wanted)), value),
            "type": _is_type,
            "enum": lambda wanted, value: any(type(each) is type(value) and each == value for each in _list(wanted)),
            "anyOf": lambda wanted, value: any(self.fits(_dict(each), value) for each in _list(wanted)),
            "pattern": lambda wanted, value: not isinstance(value, str) or bool(re.search(_ecma(str(wanted)), value)),
            "minLength": lambda wanted, value: not isinstance(value, str) or len(value) >= _int(wanted),
            "maxLength": lambda wanted, value: not isinstance(value, str) or len(value) <= _int(wanted),
            "minimum": lambda wanted, value: not isinstance(value, int) or value >= _int(wanted),
            "maximum": lambda wanted, value: not isinstance(value, int) or value <= _int(wanted),
            "minItems": lambda wanted, value: not isinstance(value, list) or len(value) >= _int(wanted),
            "minProperties": lambda wanted, value: not isinstance(value, dict) or len(value) >= _int(wanted),
            "maxProperties": lambda wanted, value: not isinstance(value, dict) or len(value) <= _int(wanted),
            "required": lambda wanted, value: not isinstance(value, dict) or set(_list(wanted)) <= value.keys(),
            "items": lambda wanted, value: (
                not isinstance(value, list) or all(self.fits(_dict(wanted), each) for each in value)
            ),
            "propertyNames": lambda wanted, value: (
                not isinstance(value, dict) or all(self.fits(_dict(wanted), each) for each in value)
            ),
        }

    def fits(self, schema: Schema, value: object) -> bool:
        for word, wanted in schema.items():
            if word in NOTES or word in {"properties", "additionalProperties"}:
                continue
            if not self._checks[word](wanted, value):
                return False
        return not isinstance(value, dict) or self._properties(schema, value)

    def _properties(self, schema: Schema, value: dict[str, object]) -> bool:
        known = _dict(schema.get("properties", {}))
        others = schema.get("additionalProperties", True)
        for key, inner in value.items():
            if key in known:
                if not self.fits(_dict(known[key]), inner):
                    return False
            elif others is False or (isinstance(others, dict) and not self.fits(others, inner)):
                return False
        return True

    def _definition(self, reference: str) -> Schema:
        return _dict(_dict(self._document["$defs"])[reference.removeprefix("#/$defs/")])


def _is_type(wanted: object, value: object) -> bool:
    return isinstance(value, _TYPES[wanted]) and (wanted == "boolean" or not isinstance(value, bool))


def _ecma(pattern: str) -> str:
    """In ECMA-262, which JSON Schema names, `$` is the very end."""
    return re.sub(r"\$$", r"\\Z", pattern)


def _dict(value: object) -> dict[str, object]:
    assert isinstance(value, dict)
    return value


def _list(value: object) -> list[object]:
    assert isinstance(value, list)
    return value


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value
