"""Errors know their line of the registry."""

import pytest

from gateway.core.codes import CODES
from gateway.core.errors import ConfigError, GatewayError, ProtocolError, Refused, Unauthenticated, Unavailable

KINDS = [Refused, Unauthenticated, ProtocolError, Unavailable, ConfigError]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_error_is_one_of_the_tree(kind: type[GatewayError]) -> None:
    error = kind("policy.denied", "because")
    assert isinstance(error, GatewayError)
    assert error.entry is CODES["policy.denied"]
    assert str(error) == "policy.denied: because"


def test_an_error_without_detail_shows_its_code_only() -> None:
    assert str(Refused("policy.denied")) == "policy.denied"


def test_an_unregistered_code_has_no_line() -> None:
    with pytest.raises(KeyError):
        _ = Refused("no.such.code").entry
