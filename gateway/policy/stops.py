"""Emergency stops: who or what is denied at once, whatever the bundle says. Looked at before the engine is asked."""

from typing import Final, Literal, TypeAlias

import msgspec

from gateway.policy.document import Request

Kind: TypeAlias = Literal["subject", "group", "connection", "everything"]
LETS_GO: Final = frozenset({"rollback", "rollback_to"})
"""actions that only undo: they end what a stopped session still holds in the database"""


class Stop(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One stop that stands until it is lifted."""

    id: str
    kind: Kind
    name: str = ""
    """of the subject, group or connection; empty for everything"""
    reason: str
    by: str
    at: str
    """RFC 3339"""


class Stops:
    """The stops that stand now."""

    def __init__(self, standing: tuple[Stop, ...] = ()) -> None:
        self.standing = standing

    def met_by(self, request: Request) -> Stop | None:
        """The first stop that a request meets. A person who is stopped is stopped through every agent, too."""
        if not self.standing or request.statement.action in LETS_GO:
            return None
        return next((stop for stop in self.standing if _meets(stop, request)), None)


def _meets(stop: Stop, request: Request) -> bool:
    principal, delegator = request.principal, request.principal.on_behalf_of
    match stop.kind:
        case "everything":
            return True
        case "connection":
            return request.resource.connection == stop.name
        case "subject":
            return stop.name == principal.subject or (delegator is not None and stop.name == delegator.id)
        case "group":
            return stop.name in principal.groups or (delegator is not None and stop.name in delegator.groups)
