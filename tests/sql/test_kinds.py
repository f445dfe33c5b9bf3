"""What a statement is called; one that runs another is as strong as the strongest part of it."""
# ruff: noqa: E501 -- a table of statements, one a line

import pytest

from gateway.sql.kinds import KindOf, kind_of, kind_of_execute
from tests.sql.payments import one


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("SELECT 1", "select read"), ("TABLE notes", "select read"), ("VALUES (1)", "select read"),
        ("SELECT 1 INTO x", "create_table_as ddl"), ("SELECT 1 INTO x UNION SELECT 2", "create_table_as ddl"),
        ("INSERT INTO notes DEFAULT VALUES", "insert write"), ("UPDATE notes SET id = 1", "update write"),
        ("DELETE FROM notes", "delete write"), ("TRUNCATE notes", "truncate write"),
        ("MERGE INTO notes n USING cards c ON true WHEN MATCHED THEN DELETE", "merge write"),
        ("COPY notes TO STDOUT", "copy_out read"), ("COPY notes FROM STDIN", "copy_in write"),
        ("EXPLAIN DELETE FROM notes", "explain read"), ("EXPLAIN ANALYZE SELECT 1", "explain read"),
        ("EXPLAIN ANALYZE DELETE FROM notes", "delete write"), ("EXPLAIN (ANALYZE off) DELETE FROM notes", "delete write"),
        ("PREPARE p AS DELETE FROM notes", "delete write"), ("DECLARE c CURSOR FOR SELECT 1", "select read"),
        ("EXECUTE p", "execute session"), ("FETCH c", "fetch read"), ("CALL dump_cards()", "call procedure"),
        ("BEGIN", "begin transaction"), ("END", "commit transaction"), ("ABORT", "rollback transaction"),
        ("SAVEPOINT a", "savepoint transaction"), ("PREPARE TRANSACTION 'x'", "prepare_transaction transaction"),
        ("SET work_mem = 1", "set session"), ("RESET ALL", "reset session"), ("SHOW ALL", "show session"),
        ("LISTEN x", "listen session"), ("NOTIFY x", "notify session"), ("DISCARD ALL", "discard session"),
        ("CREATE TABLE t ()", "create ddl"), ("ALTER TABLE t ADD x int", "alter ddl"), ("DROP TABLE t", "drop ddl"),
        ("CREATE VIEW v AS SELECT 1", "create ddl"), ("ALTER TABLE t RENAME TO u", "alter ddl"),
        ("GRANT SELECT ON notes TO public", "grant dcl"), ("REVOKE SELECT ON notes FROM public", "revoke dcl"),
        ("VACUUM", "vacuum admin"), ("ANALYZE", "analyze admin"), ("LOAD 'x'", "load admin"), ("CHECKPOINT", "checkpoint admin"),
        ("ALTER SYSTEM SET a = 1", "alter_system admin"), ("DO $$ $$", "do procedure"), ("LOCK notes", "lock transaction"),
    ],
)  # fmt: skip
def test_a_statement_has_its_kind(sql: str, kind: str) -> None:
    statement = one(sql).statement
    assert f"{statement.action} {statement.category}" == kind


def test_explain_of_execute_is_as_strong_as_what_it_runs() -> None:
    write = KindOf("delete", "write")
    for sql, kind in (("EXPLAIN ANALYZE EXECUTE p", write), ("EXPLAIN EXECUTE p", KindOf("explain", "read"))):
        tree = one(sql).tree
        assert tree is not None
        assert kind_of_execute(tree, write) == kind


def test_what_has_no_name_is_unknown_and_admin() -> None:
    tree = one("SELECT 1 + 1").tree
    assert tree is not None
    assert kind_of(tree.target_list[0].res_target) == KindOf("unknown", "admin")  # type: ignore[attr-defined]  # a SelectStmt
