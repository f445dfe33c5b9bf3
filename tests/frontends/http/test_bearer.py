"""A token is shown as RFC 6750 says, or it is not shown."""

import pytest
from aiohttp.test_utils import make_mocked_request

from gateway.frontends.http.bearer import asks_for_one, shows


@pytest.mark.parametrize(
    ("header", "fits"),
    [
        ("Bearer right", True),
        ("bearer  right ", True),
        ("Bearer wrong", False),
        ("Bearer", False),
        ("right", False),
        ("Basic right", False),
        ("Bearer right right", False),
        ("", False),
    ],
)
def test_only_the_right_token_fits(header: str, fits: bool) -> None:  # noqa: FBT001 -- a parameter of the table
    request = make_mocked_request("GET", "/", {"Authorization": header})
    assert shows(request, lambda: "right") is fits


def test_who_shows_none_is_asked_for_one() -> None:
    assert (asks_for_one().status, asks_for_one().headers["WWW-Authenticate"]) == (401, "Bearer")
