"""What real tools send is understood: in open posture nothing of it is a hazard, and nothing is changed."""
# ruff: noqa: E501 -- a table of statements, one a line

from gateway.core.verdict import Obligations
from gateway.sql.application import NAME
from gateway.sql.rewrite import rewrite
from tests.sql.payments import OPEN, catalog, read
from tests.support.sessions import Session, postgres_sessions


def changed(session: Session) -> list[str]:
    """Statements of a session that are a hazard, or would not be sent as they are. Names of applications are."""
    statements = [found for text in session.sql for found in read(text, OPEN)]
    return [
        found.text
        for found in statements
        if found.statement.hazards
        or (rewrite(found, Obligations(), catalog(), OPEN).text != found.text and NAME not in found.statement.settings)
    ]


def test_captured_sessions_are_read_and_sent_as_they_are() -> None:
    """Where the captured sessions are absent, the test below stands alone; tests/e2e says aloud that they are."""
    assert {session.id: found for session in postgres_sessions() if (found := changed(session))} == {}


def test_the_statements_of_drivers_are_read_without_the_captured_sessions() -> None:
    for text in (
        "SET extra_float_digits = 3", "SET application_name = 'PostgreSQL JDBC Driver'", "SHOW TRANSACTION ISOLATION LEVEL", "select pg_catalog.version()",
        "SELECT t.oid, typarray FROM pg_type t WHERE t.typname = $1", "RESET ALL; CLOSE ALL; UNLISTEN *;", "SELECT current_schema()", "BEGIN ISOLATION LEVEL READ COMMITTED;",
        "SELECT c.relname FROM pg_catalog.pg_class c WHERE c.relname OPERATOR(pg_catalog.~) '^(cards)$' COLLATE pg_catalog.default",
    ):  # fmt: skip
        for found in read(text):
            assert found.statement.hazards == ()
