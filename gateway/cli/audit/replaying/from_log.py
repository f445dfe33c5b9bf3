"""A session of which nothing but the log tells: its statements' shapes, when they came, and how they ended."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from gateway.cli.audit.words import moment, printable
from gateway.evidence.search import Hit, Query, search

MANY: Final = 1 << 40


def statements(folder: Path, sid: str) -> list[Hit]:
    """Every decision of a session, in order. Raises OSError, ValueError."""
    return list(search(folder, Query(session=sid), MANY))[::-1]


def in_words(hits: list[Hit]) -> Iterator[str]:
    """A few lines a statement."""
    for number, hit in enumerate(hits, 1):
        yield f"{moment(hit.time_ns)}  #{number} {printable(hit.action)}  {hit.did}\n"
        if hit.statement:
            yield f"    {printable(hit.statement)}\n"
        ended = f" → {printable(hit.ended)}" if hit.ended else ""
        codes = f" ({printable(' '.join(hit.codes))})" if hit.codes else ""
        yield f"  {printable(hit.outcome)}{codes}{ended}\n"
