"""What a ruling stands on besides policy: the catalog snapshot, and the site's word on the connection."""

from dataclasses import dataclass

from gateway.core.site import Posture
from gateway.sql.catalog import Catalog


@dataclass(frozen=True, slots=True)
class Ground:
    """One state of a connection's database, as far as it is known."""

    catalog: Catalog
    posture: Posture
    void: bool = False
    """the session changed the schema in a transaction that is still open: the snapshot does not show it"""
    path: tuple[str, ...] | None = None
    """the search path the session has set for itself; None: the pinned one"""

    def like(self, other: "Ground") -> bool:
        """Whether names mean the same on both; the hash of a snapshot covers the posture."""
        return self.catalog.sha256 == other.catalog.sha256 and self.path == other.path
