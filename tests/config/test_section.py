"""Sections refuse what they do not know, and defaults are made anew for each."""

import msgspec
import pytest

from gateway.config.quantities import Duration
from gateway.config.section import Section, made, of


class _Inner(Section, frozen=True, kw_only=True):
    wait: Duration = of(Duration.parse, "5s")


class _Outer(Section, frozen=True, kw_only=True):
    inner: _Inner = made(_Inner)


def test_a_key_that_is_not_known_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field"):
        msgspec.convert({"other": 1}, _Outer)


def test_defaults_are_what_people_would_have_written() -> None:
    assert _Outer().inner.wait == Duration.parse("5s")
    assert _Outer().inner is not _Outer().inner
