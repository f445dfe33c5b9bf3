"""Sessions on a real server: every way to log in, what is pinned, and a code for every way to fail."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from gateway.core.errors import Unavailable
from gateway.upstream.postgres import cancel, connect
from gateway.upstream.query import fetch
from gateway.upstream.target import Target
from gateway.wire.postgres import server_messages as server
from gateway.wire.postgres.startup import CancelRequest, parse
from tests.support.postgres import Cluster, password_of, running_cluster
from tests.upstream.fake_server import Says, first_packet
from tests.upstream.fake_server import server as fake

MakeTarget = Callable[..., Target]
REPORTED = [("server_version", "15.0"), ("client_encoding", "UTF8"), ("standard_conforming_strings", "on")]
GREETING = b"".join(
    [
        server.AUTHENTICATION_OK,
        *(server.parameter_status(name, value) for name, value in REPORTED),
        server.backend_key_data(42, b"key!"),
        server.ready_for_query(b"I"),
    ]
)


async def failure(connecting: Awaitable[object]) -> Unavailable:
    with pytest.raises(Unavailable) as failed:
        await connecting
    await asyncio.sleep(0.001)  # transports end in the next turns of the loop
    return failed.value


def saying(said: bytes) -> Says:
    async def says(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await first_packet(reader)
        writer.write(said)
        await reader.read()

    return says


@pytest.mark.parametrize(
    ("user", "tls"),
    [
        ("agent_ro", "verify-full"),
        ("agent_ro", "require"),
        ("agent_ro", "disable"),
        ("login_md5", "verify-full"),
        ("login_md5", "disable"),
        ("login_clear", "verify-full"),
    ],
)
async def test_every_kind_of_login_works(target: MakeTarget, user: str, tls: str) -> None:
    link = await connect(target(user=user, tls=tls), application_name="gateway/test")
    assert await fetch(link, "SELECT current_user, current_setting('application_name')") == [(user, "gateway/test")]
    assert (link.stream.tls is not None) == (tls != "disable")
    assert link.pid > 0
    await link.stream.close()
    await link.stream.wait_closed()


async def test_a_unix_socket_is_spoken_to_without_tls(target: MakeTarget, cluster: Cluster) -> None:
    link = await connect(target(host=str(cluster.folder)))
    assert await fetch(link, "SELECT inet_client_addr()") == [(None,)]
    await link.stream.close()


async def test_pinned_settings_win_over_those_of_the_role_and_the_session(target: MakeTarget, cluster: Cluster) -> None:
    cluster.run("ALTER ROLE agent_rw SET search_path = evil; ALTER ROLE agent_rw SET standard_conforming_strings = off")
    asked = {"DateStyle": "German", "search_path": "evil", "client_encoding": "LATIN1"}
    link = await connect(target(user="agent_rw", search_path=("public", "Odd one")), settings=asked)
    assert await fetch(link, "SHOW search_path") == [('public, "Odd one", pg_temp',)]
    assert link.parameters["standard_conforming_strings"] == "on"
    assert link.parameters["client_encoding"] == "UTF8"
    assert link.parameters["DateStyle"].startswith("German")
    await link.stream.close()
    cluster.run("ALTER ROLE agent_rw RESET ALL")


async def test_a_statement_is_cancelled_by_number_and_key(target: MakeTarget) -> None:
    link = await connect(target())
    sleeping = asyncio.ensure_future(fetch(link, "SELECT pg_sleep(60)"))
    await asyncio.sleep(0.1)
    await cancel(link.target, link.pid, link.key)
    assert "57014" in (await failure(sleeping)).detail
    assert await fetch(link, "SELECT 1") == [("1",)]
    await link.stream.close()


async def test_a_link_shows_neither_key_nor_password(target: MakeTarget) -> None:
    link = await connect(target())
    shown = repr(link)
    assert password_of("agent_ro") not in shown
    assert repr(link.key) not in shown
    await link.stream.close()


async def test_a_server_that_dies_is_a_lost_connection(target: MakeTarget, cluster: Cluster) -> None:
    link = await connect(target())
    cluster.run(f"SELECT pg_terminate_backend({link.pid})")
    while True:
        try:
            await link.read()
        except Unavailable as lost:
            assert lost.code == "upstream.lost"  # noqa: PT017 -- the farewell before it is read in the same loop
            break
    assert link.at_eof
    await link.stream.wait_closed()
    with pytest.raises(Unavailable, match=r"upstream\.lost"):
        await link.drain()


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"secret": "wrong"}, "upstream.refused"),
        ({"database": "nowhere"}, "upstream.refused"),
        ({"ca": None}, "upstream.tls"),
        ({"host": "localhost.invalid"}, "upstream.unreachable"),
        ({"port": 1}, "upstream.unreachable"),
    ],
)
async def test_every_failure_has_its_code_and_no_secret(
    target: MakeTarget, changed: dict[str, object], code: str
) -> None:
    failed = await failure(connect(target(**changed)))
    assert failed.code == code
    assert failed.entry.sqlstate.startswith("08")
    assert "wrong" not in str(failed)
    assert password_of("agent_ro") not in str(failed)


async def test_a_certificate_for_another_name_is_refused(target: MakeTarget, cluster: Cluster) -> None:
    failed = await failure(connect(target(host="127.0.0.2")))
    assert failed.code in {"upstream.tls", "upstream.unreachable"}
    assert cluster.port > 0


async def test_a_full_server_says_so() -> None:
    settings = {"max_connections": "4", "superuser_reserved_connections": "1", "max_wal_senders": "0"}
    with running_cluster(settings) as small:
        target = Target(
            name="small",
            host="127.0.0.1",
            port=small.port,
            database="postgres",
            user="agent_ro",
            password=lambda: password_of("agent_ro"),
            ca=small.tls.ca,
        )
        links = [await connect(target) for _ in range(3)]
        failed = await failure(connect(target))
        for link in links:
            await link.stream.close()
    assert (failed.code, failed.entry.sqlstate) == ("upstream.too_many", "53300")


async def test_a_server_that_never_answers_is_given_up_in_time(target: MakeTarget) -> None:
    async with fake(saying(b"")) as port:
        soon = asyncio.get_running_loop().time() + 0.1
        for tls in ("disable", "verify-full"):
            failed = await failure(connect(target(tls=tls, port=port), deadline=soon))
            assert failed.code == "upstream.timeout"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"N", "upstream.tls"),
        (b"S" + GREETING, "upstream.tls"),
        (b"E", "upstream.tls"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "upstream.tls"),
    ],
)
async def test_an_answer_to_ssl_request_other_than_a_single_s_is_refused(
    target: MakeTarget, answer: bytes, code: str
) -> None:
    async with fake(saying(answer)) as port:
        assert (await failure(connect(target(port=port)))).code == code


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "upstream.wrong_server"),
        (server.ready_for_query(b"I"), "upstream.wrong_server"),
        (GREETING.replace(b"UTF8", b"SJIS"), "upstream.wrong_server"),
        (GREETING.replace(b"strings\0on\0", b"strings\0no\0"), "upstream.wrong_server"),
        (GREETING.replace(b"server_version\0", b"server_verzion\0"), "upstream.wrong_server"),
        (server.AUTHENTICATION_OK + server.data_row([b"x"]), "upstream.wrong_server"),
        (server.AUTHENTICATION_OK + server.AUTHENTICATION_OK, "upstream.wrong_server"),
        (server.parameter_status("x", "y") + GREETING, "upstream.wrong_server"),
        (server.error_response(sqlstate="57P03", message="starting up"), "upstream.unreachable"),
        (server.error_response(sqlstate="53300", message="full"), "upstream.too_many"),
        (server.error_response(sqlstate="4111111111111111", message="4111111111111111"), "upstream.refused"),
        (b"E\0\xff\xff\xff", "upstream.wrong_server"),
    ],
)
async def test_what_is_not_the_greeting_of_our_server_is_refused(target: MakeTarget, said: bytes, code: str) -> None:
    async with fake(saying(said)) as port:
        failed = await failure(connect(target(port=port, tls="disable")))
    assert failed.code == code
    assert "4111111111111111" not in str(failed)


async def test_a_server_that_hangs_up_early_is_a_lost_connection(target: MakeTarget) -> None:
    async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await first_packet(reader)
        writer.close()

    async with fake(hangs_up) as port:
        assert (await failure(connect(target(port=port, tls="disable")))).code == "upstream.lost"


async def test_bytes_behind_the_greeting_are_read_first(target: MakeTarget) -> None:
    async with fake(saying(server.notice_response(message="hi") + GREETING + b"later")) as port:
        link = await connect(target(port=port, tls="disable"))
        assert await link.read() == b"later"
        assert (link.pid, link.key) == (42, b"key!")
        await link.stream.close()


async def test_a_cancel_request_is_sent_as_the_protocol_says(target: MakeTarget) -> None:
    seen: list[bytes] = []

    async def notes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await first_packet(reader))
        writer.close()

    async with fake(notes) as port:
        await cancel(target(port=port, tls="disable"), 7, b"k" * 32)
    assert parse(seen[0]) == CancelRequest(7, b"k" * 32)
