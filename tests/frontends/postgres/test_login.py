"""Who comes in: tokens good and bad, names, settings asked for at startup; and what the client and the record hear."""

import time
from collections.abc import Callable

import psycopg
import pytest

from gateway.core.blanking import clean_words
from gateway.core.events import EventType
from gateway.frontends.postgres.login import cleaned
from tests.frontends.world import World
from tests.support import rawpg
from tests.support.identity import new_key
from tests.support.rawpg import RawClient

CARD = "4111111111111111"


def signed(world: World, key_is_foreign: bool = False, **claims: object) -> str:  # noqa: FBT001, FBT002 -- a case
    key = new_key("ES256") if key_is_foreign else None
    return world.issuer.sign({**world.issuer.claims(), **claims}, key)


BAD: dict[str, tuple[Callable[[World], str], str]] = {
    "no token": (lambda _: "hunter2", "token.malformed"),
    "another key": (lambda w: signed(w, key_is_foreign=True), "token.unknown_key"),
    "expired": (lambda w: signed(w, exp=int(time.time()) - 3600), "token.expired"),
    "not yet": (lambda w: signed(w, nbf=int(time.time()) + 3600), "token.not_yet_valid"),
    "another audience": (lambda w: signed(w, aud="another"), "token.audience"),
    "another issuer": (lambda w: signed(w, iss="https://elsewhere.test"), "token.unknown_issuer"),
    "tampered": (lambda w: signed(w)[:-6] + "AAAAAA", "token.signature"),
    "without an end": (lambda w: w.issuer.token(exp=None), "token.no_expiry"),
    "without a subject": (lambda w: signed(w, sub=""), "token.subject"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(BAD))
def test_every_bad_token_has_its_own_reason_in_the_record_and_one_text_for_clients(world: World, name: str) -> None:
    make, code = BAD[name]
    token = make(world)
    with pytest.raises(psycopg.OperationalError) as caught:
        world.connect(password=token)
    (failed,) = world.log.of(EventType.AUTH_FAILED)
    assert failed.data["code"] == code
    assert "FATAL:  authentication failed" in str(caught.value)
    assert code not in str(caught.value)
    assert token not in repr(failed)
    assert token[-20:] not in str(caught.value) + repr(world.house) + repr(world.reception)
    assert not world.log.of(EventType.SESSION_OPENED)


def test_a_token_as_large_as_allowed_comes_in_and_a_larger_one_does_not(world: World) -> None:
    with world.raw(token=signed(world, filler="x" * 20_000)) as client:
        assert rawpg.kinds(client.ask(rawpg.query("SELECT 1"))) == "TDCZ"
    with RawClient(world.port) as client:
        client.start_tls(world.tls.ca)
        seen = client.log_in("x" * (65 << 10), "payments", "agent")
        assert seen[-1].fields["C"] == "08P01"
    assert world.log.of(EventType.AUTH_FAILED)[-1].data["code"] == "wire.message_too_long"


def test_the_user_is_agent_or_the_tokens_subject(world: World) -> None:
    world.connect(user="agent-7").close()
    with pytest.raises(psycopg.OperationalError, match="authentication failed"):
        world.connect(user="somebody")
    assert world.log.of(EventType.AUTH_FAILED)[-1].data["code"] == "login.user"


def test_a_name_that_is_no_connection_is_said_to_be_none(world: World) -> None:
    with pytest.raises(psycopg.OperationalError, match="no connection of that name"):
        world.connect("nowhere")
    (failed,) = world.log.of(EventType.AUTH_FAILED)
    assert failed.data["code"] == "login.unknown_connection"
    assert failed.res == ""


@pytest.mark.parametrize(
    ("name", "value", "sqlstate", "code"),
    [
        ("options", "-c search_path=x", "0A000", "startup.option"),
        ("search_path", "x", "0A000", "startup.option"),
        ("role", "postgres", "0A000", "startup.option"),
        ("session_preload_libraries", "x", "0A000", "startup.option"),
        (f"a{CARD}", "x", "0A000", "startup.option"),
        ("client_encoding", "LATIN1", "22023", "startup.encoding"),
    ],
)
def test_options_that_are_not_known_to_be_harmless_are_refused(
    world: World, name: str, value: str, sqlstate: str, code: str
) -> None:
    with RawClient(world.port) as client:
        client.start_tls(world.tls.ca)
        seen = client.log_in(world.token(), "payments", "agent", **{name: value})
        assert seen[-1].fields["C"] == sqlstate
        assert seen[-1].fields["S"] == "FATAL"
    (failed,) = world.log.of(EventType.AUTH_FAILED)
    assert failed.data["code"] == code
    assert CARD not in repr(failed)


def test_replication_is_refused_with_a_record(world: World) -> None:
    with RawClient(world.port) as client:
        client.start_tls(world.tls.ca)
        seen = client.log_in(world.token(), "payments", "agent", replication="database")
        assert seen[-1].fields["C"] == "42501"
    world.until(lambda: [e.data["code"] for e in world.log.of(EventType.AUTH_FAILED)] == ["wire.replication"])


def test_harmless_settings_reach_the_server_and_pinned_ones_stay(world: World) -> None:
    harmless = {"TimeZone": "Asia/Tokyo", "extra_float_digits": "0", "datestyle": "German"}
    with world.raw(**harmless, client_min_messages="debug1") as client:
        shown = rawpg.rows(client.ask(rawpg.query("SHOW timezone")))
        assert shown == [[b"Asia/Tokyo"]]
        assert rawpg.rows(client.ask(rawpg.query("SHOW extra_float_digits"))) == [[b"0"]]
        assert rawpg.rows(client.ask(rawpg.query("SHOW search_path"))) == [[b"public, pg_temp"]]
        assert rawpg.rows(client.ask(rawpg.query("SHOW client_min_messages"))) == [[b"debug1"]]


def test_the_client_is_told_the_servers_own_parameters(world: World) -> None:
    with world.raw(application_name="tests") as client:
        found = client.parameters
    assert found["server_version"].startswith("15")
    assert found["client_encoding"] == "UTF8"
    assert found["standard_conforming_strings"] == "on"
    assert found["integer_datetimes"] == "on"
    assert found["application_name"] == "tests"
    assert found["session_authorization"] == "agent-7"


def test_what_a_client_says_of_itself_is_cleaned_before_it_is_kept(world: World) -> None:
    more = {"querywarden.purpose": f"refund {CARD}", "querywarden.ticket": "T-1"}
    with world.raw(application_name=f"card {CARD}", **more) as client:
        client.ask(rawpg.query("SELECT 1"))
    asked = world.policy.asked[-1].context
    assert asked.purpose == "refund ****************"
    assert asked.ticket == "T-1"
    assert asked.application == "card ****************"
    assert CARD not in repr(world.log.events)


def test_purpose_ticket_and_reason_can_be_set_later(world: World) -> None:
    with world.connect() as connection:
        connection.execute("SET querywarden.reason = 'chargeback'")
        connection.execute("SELECT 1")
        assert world.policy.asked[-1].context.reason == "chargeback"


def test_what_is_said_later_is_cleaned_too_before_policy_sees_it(world: World) -> None:
    with world.connect() as connection:
        for said in (CARD, "NDExMTExMTExMTExMTExMQ==", "4111 1111 1111 1111", "x" * 250 + CARD):
            connection.execute(f"SET querywarden.purpose = '{said}'")
            connection.execute("SELECT 1")
            purpose = world.policy.asked[-1].context.purpose
            assert purpose == clean_words(said)[:256] != said
    assert "4111" not in repr(world.log.events)


def test_a_number_where_a_text_is_cut_leaves_no_digit() -> None:
    assert cleaned("4111\u00a01111\u200b1111\x071111", 63) == "****?****?****?****"
    assert cleaned("x" * 55 + CARD, 63) == "x" * 55 + "*" * 8


def test_cleaning_leaves_no_control_characters_and_no_more_than_asked() -> None:
    assert cleaned("a\nb\0c\x1b[0m" + "x" * 100, 10) == "a?b?c?[0mx"


def test_a_client_that_never_sends_its_password_is_recorded(world: World) -> None:
    with RawClient(world.port) as client:
        client.start_tls(world.tls.ca)
        client.send(rawpg.startup({"user": "agent", "database": "payments"}))
        client.read_to("R")
    world.until(lambda: [e.data["code"] for e in world.log.of(EventType.AUTH_FAILED)] == ["login.gone"])
