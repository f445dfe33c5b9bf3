"""Names are written so that the server reads them as they are stored."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.sql import grammar
from gateway.sql.quoting import qualified, quote
from gateway.sql.tokens import cut, identifier

names = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)


@given(names)
def test_a_quoted_name_reads_as_itself(name: str) -> None:
    (token,) = grammar.scan(quote(name))
    assert identifier(quote(name)[token.start :]) == cut(name) or quote(name).startswith('"')
    (statement,) = grammar.read(f"SELECT 1 AS {quote(name)}")
    assert statement.stmt.select_stmt.target_list[0].res_target.name == cut(name)


def test_plain_names_stay_bare_and_keywords_do_not() -> None:
    assert [quote(name) for name in ("pan", "select", "name", "Pan", "a b", 'a"b', "пан")] == [
        "pan", '"select"', '"name"', '"Pan"', '"a b"', '"a""b"', '"пан"',
    ]  # fmt: skip
    assert qualified("public", "user") == 'public."user"'
