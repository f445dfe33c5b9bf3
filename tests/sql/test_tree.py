"""Walking trees: every message below, with wrappers taken off."""

from gateway.sql import grammar
from gateway.sql.tree import STAR, Star, children, names, unwrap, walk


def test_every_message_below_is_visited_once_and_unwrapped() -> None:
    (statement,) = grammar.read("SELECT a, f(b) FROM c WHERE d = ANY (SELECT e)")
    kinds = [type(node).__name__ for node in walk(statement.stmt)]
    assert kinds.count("ColumnRef") == 4
    assert kinds.count("SelectStmt") == 2
    assert "Node" not in kinds
    assert kinds[0] == "SelectStmt"


def test_children_come_with_their_fields() -> None:
    (statement,) = grammar.read("SELECT 1 FROM c")
    assert [name for name, _ in children(unwrap(statement.stmt))] == ["target_list", "from_clause"]


def test_a_star_is_no_column_called_so() -> None:
    (statement,) = grammar.read('SELECT c.*, c."*"')
    star, column = (
        names(target.res_target.val.column_ref.fields)[-1] for target in statement.stmt.select_stmt.target_list
    )
    assert (type(star), type(column), star, column) == (Star, str, STAR, STAR)
