"""What an auditor asks about, said in their words: an id, a statement with or without its values, a moment."""

from gateway.cli.audit.index_desk import Searchable
from gateway.evidence.search import Hit, Query
from gateway.sql.tokens import UNAVAILABLE, redact

SHOWN = "statement"
"""what is recorded of a statement whose words cannot be told from its values"""


def canonical_text(text: str) -> str:
    """A statement as the log has it: redacted. What is redacted already, or no SQL at all, stays as it is."""
    bare = text.strip().removesuffix(";").rstrip()
    found = redact(bare)
    return bare if found == UNAVAILABLE else found


def recordable(text: str) -> str:
    """What may be recorded of a text somebody typed as a statement: its words without its values."""
    found = redact(text.strip().removesuffix(";").rstrip())
    return SHOWN if found == UNAVAILABLE else found


def is_statement(text: str) -> bool:
    """Whether a word on the command line is meant as a statement: ids have no white space."""
    return any(c.isspace() for c in text.strip())


def with_statement(desk: Searchable, text: str, query: Query) -> tuple[Hit | None, int]:
    """The latest decision about a statement, and how many there are."""
    for candidate in dict.fromkeys((canonical_text(text), text.strip())):
        page = desk.page(query._replace(statement=candidate), 1)
        if page.hits:
            return page.hits[0], page.total
    return None, 0


def at_moment(desk: Searchable, query: Query) -> tuple[Hit | None, int]:
    """The last decision until the end of the query's time, and how many there are until then."""
    page = desk.page(query, 1)
    return (page.hits[0] if page.hits else None), page.total
