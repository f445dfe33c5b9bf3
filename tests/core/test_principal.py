"""A principal holds what policy may see of an identity, and refuses anything else."""

import msgspec
import pytest

from gateway.core.principal import Delegator, Principal

AGENT = Principal(
    subject="refund-agent",
    issuer="https://idp.example",
    groups=("agents",),
    on_behalf_of=Delegator(id="maria@example.com"),
    expires_at=1_800_000_000,
)


def test_a_principal_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        AGENT.subject = "somebody-else"  # type: ignore[misc]  # the point of the test


def test_a_principal_survives_json() -> None:
    assert msgspec.json.decode(msgspec.json.encode(AGENT), type=Principal) == AGENT


def test_a_field_nobody_knows_is_refused() -> None:
    document = msgspec.to_builtins(AGENT) | {"token": "eyJ"}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(document, Principal)
