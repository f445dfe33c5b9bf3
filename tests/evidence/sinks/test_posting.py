"""HTTP to a receiver: certificates verified, no redirect, answers bounded, and half an answer is none."""

from pathlib import Path

import pytest

from gateway.evidence.sinks.answers import Later, Refused
from gateway.evidence.sinks.posting import Credential, Place, Post, Reply
from tests.evidence.sinks.servers import Came, Said, authority, http
from tests.evidence.world import TickClock

pytestmark = pytest.mark.enable_socket


async def sent(place: Place) -> Reply | Later:
    post = Post(place)
    try:
        return await post.send("/x", b"body", {"A": "b"})
    finally:
        await post.close()


async def test_an_answer_comes_back_whole() -> None:
    async with http(lambda _: Said(202, b"yes", "Retry-After: 7\r\n")) as server:
        assert await sent(Place(server.url, 5)) == Reply(202, b"yes", 7.0)
        assert server.came[0].path == "/x"
        assert server.came[0].headers["a"] == "b"


async def test_only_who_shows_a_certificate_of_the_authority_is_spoken_to(tmp_path: Path) -> None:
    known, other = authority(tmp_path), tmp_path / "other"
    other.mkdir()
    async with http(lambda _: Said(), known.server) as server:
        assert isinstance(await sent(Place(server.url, 5, known.ca)), Reply)
        assert await sent(Place(server.url, 5, authority(other).ca)) == Later("http.certificate")
        assert await sent(Place(server.url, 5)) == Later("http.certificate")
        named = server.url.replace("127.0.0.1", "localhost")
        assert await sent(Place(named, 5, known.ca)) == Later("http.certificate")
        assert len(server.came) == 1


async def test_a_receiver_that_wants_to_know_us_is_shown_our_certificate(tmp_path: Path) -> None:
    known = authority(tmp_path)
    async with http(lambda _: Said(), known.strict) as server:
        assert isinstance(await sent(Place(server.url, 5, known.ca, known.client)), Reply)
        assert isinstance(await sent(Place(server.url, 5, known.ca)), Later)
        assert len(server.came) == 1


@pytest.mark.parametrize(
    ("said", "kind"),
    [(Said(torn=True), "http.ClientPayloadError"), (Said(delay=5), "http.TimeoutError"), (Said(status=0), "http.")],
)
async def test_half_an_answer_and_no_answer_are_for_later(said: Said, kind: str) -> None:
    async with http(lambda _: said) as server:
        answer = await sent(Place(server.url, 0.3))
        assert isinstance(answer, Later)
        assert answer.reason.startswith(kind)


async def test_a_receiver_that_is_not_there_is_for_later(unused_tcp_port: int) -> None:
    answer = await sent(Place(f"http://127.0.0.1:{unused_tcp_port}", 1))
    assert answer == Later("http.ClientConnectorError")


async def test_a_redirect_is_not_followed() -> None:
    def rule(came: Came) -> Said:
        return Said(307, b"", "Location: /elsewhere\r\n") if came.path == "/x" else Said()

    async with http(rule) as server:
        answer = await sent(Place(server.url, 5))
        assert isinstance(answer, Reply)
        assert answer.status == 307
        assert len(server.came) == 1


async def test_an_answer_without_end_is_cut() -> None:
    async with http(lambda _: Said(body=b"x" * (5 << 20))) as server:
        answer = await sent(Place(server.url, 5))
        assert isinstance(answer, Reply)
        assert len(answer.body) == 1 << 20


async def test_an_answer_that_ends_with_its_connection_may_have_been_cut() -> None:
    async with http(lambda _: Said(body=b"yes", endless=True)) as server:
        assert await sent(Place(server.url, 5)) == Later("http.no_end")


async def test_a_credential_is_read_each_minute_and_after_it_was_refused() -> None:
    clock, read = TickClock(), list[str]()

    def reveal() -> str:
        read.append("word")
        return f"word {len(read)}"

    credential = Credential(reveal, clock)
    assert [await credential.value() for _ in range(3)] == ["word 1"] * 3
    credential.heed(Reply(200, b"", None))
    credential.heed(Later("x"))
    assert await credential.value() == "word 1"
    credential.heed(Reply(403, b"", None))
    assert await credential.value() == "word 2"
    clock.forward(61)
    assert await credential.value() == "word 3"


async def test_a_file_that_is_missing_is_for_later(tmp_path: Path) -> None:
    assert await sent(Place("https://127.0.0.1:1", 1, tmp_path / "no.pem")) == Later("http.FileNotFoundError")


@pytest.mark.parametrize(
    ("status", "failure"),
    [(400, Refused("http.400")), (413, Refused("http.413")), (422, Refused("http.422")), (401, Later("http.401")),
     (403, Later("http.403")), (404, Later("http.404")), (429, Later("http.429")), (503, Later("http.503")),
     (307, Later("http.307"))],
)  # fmt: skip
def test_a_status_says_whose_fault_it_is(status: int, failure: Later | Refused) -> None:
    assert Reply(status, b"", None).failure() == failure
    assert not Reply(status, b"", None).ok
