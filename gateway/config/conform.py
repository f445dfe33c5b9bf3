"""Compare a document with the types of the settings and find everything that does not fit, not only the first.

msgspec stops at the first error; here the walk goes on, and msgspec judges each leaf. A message never holds a value of
the file: it might be a password in the wrong place.
"""

import types
import typing
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Annotated, Literal, NamedTuple, TypeAlias, Union

import msgspec

from gateway.config.document import Place, shown
from gateway.config.secret import Secret

Hook: TypeAlias = Callable[[type, object], object]

_KINDS = {dict: "a mapping", list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}
_WORDS = {
    "Expected `array` of length >= 1": "at least one is needed",
    "Expected `object` of length >= 1": "at least one is needed",
    "`array`": "a list",
    "`object`": "a mapping",
    "`str`": "text",
    "`bool`": "true or false",
    "`int`": "a whole number",
    "`float`": "a number",
    "`null`": "nothing",
}
_REFERENCES = "a secret stands as {env: NAME}, {file: path} or {command: [program, …]}, never in the file itself"


class Misfit(NamedTuple):
    """A place that does not fit, and why. `at_key`: it is the key that is wrong, not its value."""

    place: Place
    text: str
    at_key: bool = False


def misfits(value: object, wanted: object, place: Place, hook: Hook) -> Iterator[Misfit]:
    """Everything in `value` that does not fit the type `wanted`. `hook` converts our own types."""
    plain = _without_notes(wanted)
    origin = typing.get_origin(plain)
    if origin in (Union, types.UnionType):
        yield from _of_union(value, wanted, place, hook)
    elif isinstance(plain, type) and issubclass(plain, msgspec.Struct):
        yield from _of_struct(value, plain, place, hook)
    elif origin is dict:
        yield from _of_mapping(value, wanted, place, hook)
    elif origin is tuple:
        yield from _of_list(value, wanted, place, hook)
    elif origin is Literal:
        yield from _of_choice(value, typing.get_args(plain), place)
    else:
        yield from _of_leaf(value, wanted, place, hook)


def _without_notes(wanted: object) -> object:
    while typing.get_origin(wanted) is Annotated:
        wanted = typing.get_args(wanted)[0]
    return wanted


def _of_union(value: object, wanted: object, place: Place, hook: Hook) -> Iterator[Misfit]:
    choices = list(typing.get_args(_without_notes(wanted)))
    if value is None and type(None) in choices:
        return
    others = [choice for choice in choices if choice is not type(None)]
    if tags := _tags(others):
        yield from _of_tagged(value, tags, place, hook)
        return
    lists = [choice for choice in others if typing.get_origin(_without_notes(choice)) is tuple]
    rest = [choice for choice in others if choice not in lists]
    yield from misfits(value, (lists if isinstance(value, list) and lists else rest or lists)[0], place, hook)


def _tags(choices: list[object]) -> dict[str, type[msgspec.Struct]]:
    """The mappings of a union that say by a key which one they are, by what they say; else nothing."""
    kinds = [choice for choice in map(_without_notes, choices) if isinstance(choice, type)]
    structs = [kind for kind in kinds if issubclass(kind, msgspec.Struct)]
    tagged = {str(kind.__struct_config__.tag): kind for kind in structs if kind.__struct_config__.tag_field}
    return tagged if len(tagged) == len(choices) else {}


def _of_tagged(value: object, tags: dict[str, type[msgspec.Struct]], place: Place, hook: Hook) -> Iterator[Misfit]:
    key = str(next(iter(tags.values())).__struct_config__.tag_field)
    if not isinstance(value, dict):
        yield Misfit(place, _expected("a mapping", value))
    elif key not in value:
        yield Misfit(place, f"{key} is missing", at_key=True)
    elif isinstance(value[key], str) and value[key] in tags:
        yield from _of_struct(value, tags[value[key]], place, hook)
    else:
        yield from _of_choice(value[key], tuple(tags), (*place, key))


def _of_struct(value: object, wanted: type[msgspec.Struct], place: Place, hook: Hook) -> Iterator[Misfit]:
    if not isinstance(value, dict):
        yield Misfit(place, _REFERENCES if wanted is Secret else _expected("a mapping", value))
        return
    annotations = typing.get_type_hints(wanted, include_extras=True)
    fields = {field.encode_name: field for field in msgspec.structs.fields(wanted)}
    for key in value.keys() - fields.keys() - {wanted.__struct_config__.tag_field}:
        near = get_close_matches(key, fields, 1)
        known = f"did you mean {near[0]}?" if near else f"known here: {', '.join(fields)}"
        yield Misfit((*place, key), f"unknown key {shown(key)}; {known}", at_key=True)
    for name, field in fields.items():
        if name in value:
            yield from misfits(value[name], annotations[field.name], (*place, name), hook)
        elif field.required:
            yield Misfit(place, f"{name} is missing", at_key=True)
    if wanted is Secret and (len(value) != 1 or None in value.values()):
        yield Misfit(place, _REFERENCES)


def _of_mapping(value: object, wanted: object, place: Place, hook: Hook) -> Iterator[Misfit]:
    if not isinstance(value, dict):
        yield Misfit(place, _expected("a mapping", value))
        return
    if not value:
        yield from _of_leaf(value, wanted, place, hook)
    key_type, value_type = typing.get_args(_without_notes(wanted))
    for key, item in value.items():
        for misfit in _of_leaf(key, key_type, (*place, key), hook):
            yield Misfit(
                misfit.place, f"the name {shown(key)} cannot be used: letters, digits, _ . -, at most 63", at_key=True
            )
        yield from misfits(item, value_type, (*place, key), hook)


def _of_list(value: object, wanted: object, place: Place, hook: Hook) -> Iterator[Misfit]:
    if not isinstance(value, list):
        yield Misfit(place, _expected("a list", value))
        return
    item_type, _ = typing.get_args(_without_notes(wanted))
    found = [misfit for index, item in enumerate(value) for misfit in misfits(item, item_type, (*place, index), hook)]
    yield from found or _of_leaf(value, wanted, place, hook)


def _of_choice(value: object, choices: tuple[object, ...], place: Place) -> Iterator[Misfit]:
    if any(type(choice) is type(value) and choice == value for choice in choices):
        return
    near = (
        get_close_matches(value, [each for each in choices if isinstance(each, str)], 1)
        if isinstance(value, str)
        else []
    )
    hint = f"; did you mean {near[0]}?" if near else ""
    yield Misfit(place, f"expected {' or '.join(str(choice) for choice in choices)}{hint}")


def _of_leaf(value: object, wanted: object, place: Place, hook: Hook) -> Iterator[Misfit]:
    try:
        msgspec.convert(value, wanted, dec_hook=hook)
    except msgspec.ValidationError as error:
        text = str(error).partition(" - at `")[0]
        for word, plain in _WORDS.items():
            text = text.replace(word, plain)
        yield Misfit(place, text[:1].lower() + text[1:])


def _expected(what: str, value: object) -> str:
    return f"expected {what}, found {_KINDS.get(type(value), 'nothing')}"
