"""What every section of `gateway.yaml` is made with: strict mappings, and defaults written as people write them."""

from collections.abc import Callable
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

T = TypeVar("T")
Text = Annotated[str, Meta(min_length=1, max_length=1024)]


def of(parse: Callable[[str], T], text: str) -> T:
    """A default, written as people write it."""
    default: T = msgspec.field(default_factory=lambda: parse(text))
    return default


def made(section: Callable[[], T]) -> T:
    """A section that may be left out."""
    default: T = msgspec.field(default_factory=section)
    return default


def said(description: str, default: str) -> Meta:
    """What a setting means, and its default as the schema shows it."""
    return Meta(description=description, extra_json_schema={"default": default})


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping of the file. Unknown keys are refused."""
