"""Two grounds are alike when their snapshots are, whatever is void."""

from dataclasses import replace

import msgspec

from tests.session import fakes


def test_likeness_is_of_content() -> None:
    other = replace(fakes.GROUND, catalog=msgspec.structs.replace(fakes.EMPTY, sha256="0" * 64))
    assert fakes.GROUND.like(replace(fakes.GROUND, void=True))
    assert not fakes.GROUND.like(other)
