"""Questions of the gateway's own: rows as text, refusals as codes, and a link that can be used again."""

from collections.abc import AsyncIterator, Callable

import pytest

from gateway.core.errors import Unavailable
from gateway.upstream.postgres import Link, connect
from gateway.upstream.query import fetch, parameter_template
from gateway.upstream.target import Target

MakeTarget = Callable[..., Target]


@pytest.fixture
async def link(target: MakeTarget) -> AsyncIterator[Link]:
    opened = await connect(target())
    yield opened
    opened.close()
    await opened.stream.wait_closed()


async def test_rows_come_as_text_with_null_as_none(link: Link) -> None:
    assert await fetch(link, "SELECT 1, NULL, 'é', '' UNION ALL SELECT 2, 'x', 'y', 'z'") == [
        ("1", None, "é", ""),
        ("2", "x", "y", "z"),
    ]


async def test_a_large_answer_comes_whole(link: Link) -> None:
    rows = await fetch(link, "SELECT i, repeat('x', 200) FROM generate_series(1, 20000) AS i")
    assert [row[0] for row in rows] == [str(i) for i in range(1, 20001)]


async def test_no_rows_no_statement_and_notices_are_answers(link: Link) -> None:
    assert await fetch(link, "SELECT 1 WHERE false") == []
    assert await fetch(link, "") == []
    assert await fetch(link, "DO $$BEGIN RAISE NOTICE 'hi'; END$$") == []


async def test_a_refusal_is_a_code_and_leaves_the_link_usable(link: Link) -> None:
    with pytest.raises(Unavailable) as refused:
        await fetch(link, "SELECT '4111111111111111'::int8 / 0")
    assert (refused.value.code, refused.value.detail) == ("upstream.refused", "SQLSTATE 22012")
    assert await fetch(link, "SELECT 1") == [("1",)]


async def test_settings_that_change_are_noted(link: Link) -> None:
    await fetch(link, "SET TimeZone = 'Europe/Berlin'")
    assert link.parameters["TimeZone"] == "Europe/Berlin"


async def test_a_copy_in_answer_ends_the_link(link: Link) -> None:
    with pytest.raises(Unavailable, match=r"upstream\.malformed"):
        await fetch(link, "COPY (SELECT 1) TO STDOUT")
    with pytest.raises(Unavailable, match=r"upstream\.lost"):
        await fetch(link, "SELECT 1")


async def test_clients_are_told_listed_settings_only(link: Link) -> None:
    template = parameter_template({**link.parameters, "search_path": "public", "custom.secret": "x"})
    assert template["server_version"] == link.parameters["server_version"]
    assert not {"search_path", "custom.secret"} & set(template)
