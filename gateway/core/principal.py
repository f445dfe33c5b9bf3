"""Who is asking: the facts a verified token gives, and nothing that could be replayed."""

from typing import TypeAlias

import msgspec

Json: TypeAlias = object
"""Any JSON value. Narrow it before use; msgspec cannot check a recursive alias."""


class Delegator(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The person an agent acts for (RFC 8693 `act`, read by the issuer's `on_behalf_of` claim)."""

    id: str
    groups: tuple[str, ...] = ()


class Principal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A verified identity. Holds no token."""

    subject: str
    issuer: str
    type: str = "agent"
    groups: tuple[str, ...] = ()
    claims: dict[str, Json] = {}
    on_behalf_of: Delegator | None = None
    expires_at: int
    """Seconds since the epoch, skew included: the session ends then."""
