"""Who is on the way and from where: the facts of one session that policy and the record need."""

from dataclasses import dataclass, field

from gateway.core.events import Who
from gateway.core.principal import Principal


@dataclass(slots=True, eq=False)
class Traveller:
    """One session. The mutable fields follow what the agent and the server say."""

    sid: str
    principal: Principal
    connection: str
    engine: str
    """postgres or mysql"""
    version: str
    database: str
    labels: dict[str, str]
    channel: str
    client_ip: str
    tls: bool
    started_ns: int
    """wall clock, nanoseconds since the epoch"""
    application: str = ""
    transaction: str = "none"
    """none, active or failed"""
    said: dict[str, str] = field(default_factory=dict)
    """purpose, ticket, reason as the agent gave them"""

    @property
    def who(self) -> Who:
        """The identity part of this session's records."""
        delegator = self.principal.on_behalf_of
        return Who(
            id=self.principal.subject,
            issuer=self.principal.issuer,
            on_behalf_of=delegator.id if delegator else "",
        )
