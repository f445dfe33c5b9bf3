"""A time-stamp is believed when `openssl ts` made it over these bytes, for this question, under a root we know."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.evidence.anchor import TokenError, ask, is_available, read_roots, read_token
from tests.support.tsa import NAME, Authority

DATA = b"log.test/1\n5\nroot\n"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa"))


@pytest.fixture(scope="module")
def token(authority: Authority) -> bytes:
    return authority.reply(ask(DATA).body)


def test_the_token_of_openssl_is_read_with_time_and_name(authority: Authority) -> None:
    assert is_available()
    question = ask(DATA)
    stamp = read_token(authority.reply(question.body), DATA, read_roots(authority.roots.read_bytes()), question.nonce)
    assert stamp.by == NAME
    assert stamp.at_ns > 1_700_000_000 * 10**9
    assert stamp.at_ns % 1_000_000_000 == 0


def test_openssl_verifies_what_we_keep(authority: Authority, token: bytes, tmp_path: Path) -> None:
    (tmp_path / "t").write_bytes(token)
    (tmp_path / "d").write_bytes(DATA)
    assert authority.verifies(tmp_path / "t", tmp_path / "d")
    (tmp_path / "d").write_bytes(DATA + b"x")
    assert not authority.verifies(tmp_path / "t", tmp_path / "d")


def test_a_token_over_other_bytes_is_refused(authority: Authority, token: bytes) -> None:
    with pytest.raises(TokenError, match="Mismatch"):
        read_token(token, DATA + b"x", read_roots(authority.roots.read_bytes()))


def test_the_answer_to_another_question_is_refused(authority: Authority, token: bytes) -> None:
    with pytest.raises(TokenError, match="Nonce"):
        read_token(token, DATA, read_roots(authority.roots.read_bytes()), ask(DATA).nonce)


def test_a_token_of_an_unknown_authority_is_refused(token: bytes, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other")
    with pytest.raises(TokenError, match="unable to get local issuer"):
        read_token(token, DATA, read_roots(other.roots.read_bytes()))
    with pytest.raises(TokenError, match="no root"):
        read_token(token, DATA, ())


def test_a_token_without_its_certificate_is_refused(authority: Authority) -> None:
    body = ask(DATA).body
    assert body.endswith(b"\x01\x01\xff"), "the question ends in certReq TRUE"
    bare = authority.reply(body[:-3].replace(bytes([body[1]]), bytes([body[1] - 3]), 1))
    with pytest.raises(TokenError):
        read_token(bare, DATA, read_roots(authority.roots.read_bytes()))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_changed_bit_is_never_believed_to_say_another_time(
    authority: Authority, token: bytes, data: st.DataObject
) -> None:
    roots = read_roots(authority.roots.read_bytes())
    changed = bytearray(token)
    changed[data.draw(st.integers(0, len(token) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        stamp = read_token(bytes(changed), DATA, roots)
    except TokenError:
        return
    assert stamp.at_ns == read_token(token, DATA, roots).at_ns


@given(junk=st.binary(max_size=200))
def test_junk_is_no_token(authority: Authority, junk: bytes) -> None:
    with pytest.raises(TokenError, match="not a token"):
        read_token(junk, DATA, read_roots(authority.roots.read_bytes()))


def test_a_file_without_certificates_has_no_roots() -> None:
    with pytest.raises(ValueError, match=r".*"):
        read_roots(b"nothing")
