"""Where sessions came from: said once, when they open, and wanted beside each of their statements by most formats."""

import msgspec

from gateway.evidence.leaf import Leaf

MOST = 20_000
"""sessions remembered; beyond that the oldest are forgotten, and their events say less"""


class Seen(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a session said when it was opened."""

    ip: str = ""
    application: str = ""
    channel: str = ""
    issuer: str = ""
    user: str = ""
    groups: tuple[str, ...] = ()


NOBODY = Seen()


class Sessions:
    """The sessions open at a place of the log. Walks with the cursor, so that a repeated event is the same event."""

    def __init__(self, known: dict[str, Seen] | None = None) -> None:
        self._known = dict(known or {})

    def see(self, leaf: Leaf) -> Seen:
        """What is known of the leaf's session, this leaf included."""
        match leaf.type:
            case "session.opened":
                seen = _of_opening(leaf)
                self._known[leaf.sid] = seen
                while len(self._known) > MOST:
                    del self._known[next(iter(self._known))]
                return seen
            case "session.closed":
                return self._known.pop(leaf.sid, NOBODY)
            case "log.opened" if "previous" in leaf.facts():  # a new epoch tells nothing of the sessions before it
                self._known.clear()
        return self._known.get(leaf.sid, NOBODY)

    def snapshot(self) -> dict[str, Seen]:
        """A copy, to be kept with the cursor."""
        return dict(self._known)


def _of_opening(leaf: Leaf) -> Seen:
    facts = leaf.facts()
    groups = facts.get("groups")
    who = leaf.who
    return Seen(
        ip=str(facts.get("client_ip") or ""),
        application=str(facts.get("application") or ""),
        channel=str(facts.get("channel") or ""),
        issuer=who.issuer if who else "",
        user=who.id if who else "",
        groups=tuple(map(str, groups)) if isinstance(groups, list) else (),
    )
