"""What every format starts from: a leaf with its place in the log, its session and its small facts."""

import ipaddress
from collections.abc import Mapping
from importlib.metadata import version
from typing import NamedTuple

from gateway.core.principal import Json
from gateway.evidence.leaf import Leaf
from gateway.evidence.sinks.sessions import Seen

VERSION = version("querywarden")
PRODUCT = "querywarden"


class Facts(NamedTuple):
    """One leaf, and what is known around it."""

    id: str
    origin: str
    at: int
    """number of the leaf in its epoch"""
    leaf: Leaf
    seen: Seen
    facts: Mapping[str, object]
    bodies: Mapping[str, Json] = {}
    """documents by their names `in`, `out`, `body`; empty unless the sink wants them"""

    @property
    def user(self) -> str:
        """Who did it: said by the leaf, else by its session."""
        return self.leaf.who.id if self.leaf.who else self.seen.user

    @property
    def issuer(self) -> str:
        """Who vouched for them."""
        return self.leaf.who.issuer if self.leaf.who else self.seen.issuer

    @property
    def on_behalf_of(self) -> str:
        """For whom they acted."""
        return self.leaf.who.on_behalf_of if self.leaf.who else ""

    @property
    def ip(self) -> str:
        """The client's address; empty when it is none."""
        text = self.text("client_ip") or self.seen.ip
        try:
            return str(ipaddress.ip_address(text))
        except ValueError:
            return ""

    @property
    def application(self) -> str:
        """What the client calls itself."""
        return self.text("application") or self.seen.application

    @property
    def code(self) -> str:
        """Why: the code of a refusal or an error; empty when there is none."""
        refused = self.facts.get("refused")
        if isinstance(refused, dict):
            return str(refused.get("code", ""))
        for reason in self._reasons():
            return str(reason.get("code", "")) if isinstance(reason, dict) else ""
        return self.text("code") or self.text("error")

    @property
    def statement(self) -> str:
        """The redacted statement, when bodies are sent."""
        statement = self._input("statement")
        return str(statement.get("text_redacted", "")) if isinstance(statement, dict) else ""

    @property
    def relations(self) -> list[str]:
        """What the statement names, as schema.name, when bodies are sent."""
        statement = self._input("statement")
        relations = statement.get("relations") if isinstance(statement, dict) else None
        found = relations if isinstance(relations, list) else []
        return [f"{r.get('schema', '')}.{r.get('name', '')}" for r in found if isinstance(r, dict)]

    def text(self, name: str) -> str:
        """A fact that is text; empty when it is not there."""
        value = self.facts.get(name)
        return value if isinstance(value, str) else ""

    def number(self, name: str) -> int | None:
        """A fact that is a number."""
        value = self.facts.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def sentence(self) -> str:
        """The event in a few words."""
        leaf = self.leaf
        parts = [leaf.type, leaf.act, f"on {leaf.res}" if leaf.res else "", f"by {self.user}" if self.user else ""]
        said = " ".join(part for part in parts if part)
        return f"{said}: {leaf.outcome}" if leaf.outcome else said

    def _input(self, name: str) -> Json:
        document = self.bodies.get("in")
        return document.get(name) if isinstance(document, dict) else None

    def _reasons(self) -> list[Json]:
        document = self.bodies.get("out")
        reasons = document.get("reasons") if isinstance(document, dict) else None
        return reasons if isinstance(reasons, list) else []


def filled(**parts: Json) -> dict[str, Json]:
    """A mapping without what is empty; numbers and truth values are never empty."""
    return {
        name: value
        for name, value in parts.items()
        if value or (isinstance(value, int | float) and not isinstance(value, str))
    }
