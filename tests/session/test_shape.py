"""What the card scan knows of columns: types, and the formats a Bind asked for."""

import pytest

from gateway.session.shape import Shape


@pytest.mark.parametrize(("asked", "formats"), [(None, (1, 0)), ((), (0, 0)), ((1,), (1, 1)), ((0, 1), (0, 1))])
def test_formats_are_those_asked_for_or_those_described(
    asked: tuple[int, ...] | None, formats: tuple[int, int]
) -> None:
    shape = Shape(types=(23, 25), formats=(1, 0))
    assert shape.columns(asked) == ((23, formats[0]), (25, formats[1]))


def test_no_columns_are_no_columns() -> None:
    assert Shape().columns((1,)) == ()
