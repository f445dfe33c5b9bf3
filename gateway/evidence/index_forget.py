"""Takes out of the index what was pruned from the log: decisions, and every name and statement that only they had."""

from typing import Final

from gateway.evidence.index import Index, place_of

_TERMS: Final = """
SELECT agent FROM shape UNION SELECT person FROM shape UNION SELECT connection FROM shape UNION SELECT action FROM shape
UNION SELECT outcome FROM shape UNION SELECT bundle FROM shape UNION SELECT term FROM asked_term
UNION SELECT term FROM reasons_term UNION SELECT bundle FROM force
UNION SELECT ended FROM decision WHERE ended IS NOT NULL"""
_FIRST: Final = (
    "DELETE FROM session WHERE id NOT IN (SELECT session FROM decision)",
    "DELETE FROM shape WHERE id NOT IN (SELECT shape FROM decision)",
    "DELETE FROM asked WHERE id NOT IN (SELECT asked FROM shape)",
    "DELETE FROM asked_term WHERE asked NOT IN (SELECT id FROM asked)",
    "DELETE FROM reasons WHERE id NOT IN (SELECT reasons FROM shape)",
    "DELETE FROM reasons_term WHERE reasons NOT IN (SELECT id FROM reasons)",
)
_WORDS: Final = (
    "INSERT INTO word (word, rowid, folded)"
    " SELECT 'delete', id, folded FROM said WHERE id NOT IN (SELECT said FROM asked)"
)
_LAST: Final = (
    "DELETE FROM said WHERE id NOT IN (SELECT said FROM asked)",
    f"DELETE FROM term WHERE id NOT IN ({_TERMS})",  # noqa: S608 -- our own
)


def forget_pruned(index: Index, log: int, begin: int) -> None:
    """Forget the leaves of a log before `begin`. Within a transaction; raises Damaged."""
    bounds = (place_of(log, 0), place_of(log, begin))
    index.database.execute("DELETE FROM force WHERE id >= ? AND id < ?", bounds)
    if index.database.execute("DELETE FROM decision WHERE id >= ? AND id < ?", bounds).rowcount:
        for orphans in (*_FIRST, *([_WORDS] if index.has_words else []), *_LAST):
            index.database.execute(orphans)
