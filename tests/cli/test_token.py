"""`token` prints what the development issuer signs: a verifier that was told of its key set takes it."""

import base64
import json
import stat
from pathlib import Path

import pytest

from gateway import cli
from gateway.core.clock import SystemClock
from gateway.core.errors import Unauthenticated
from gateway.core.principal import Principal
from gateway.identity.claims import ClaimNames
from gateway.identity.dev import AUDIENCE, ISSUER
from gateway.identity.jwks import Cached, FromFile
from gateway.identity.verifier import TrustedIssuer, Verifier


@pytest.fixture
def where(tmp_path: Path) -> list[str]:
    """Options for a key and a key set that are made by the first call."""
    return ["--key", str(tmp_path / "idp.key"), "--jwks", str(tmp_path / "jwks.json")]


async def verified(token: str, jwks: Path, issuer: str = ISSUER, audience: str = AUDIENCE) -> Principal:
    clock = SystemClock()
    trusted = TrustedIssuer(
        issuer=issuer,
        audience=frozenset({audience}),
        algorithms=frozenset({"ES256", "RS256"}),
        keys=Cached(FromFile(jwks), clock),
        names=ClaimNames(subject="sub", groups="groups", on_behalf_of="act"),
    )
    return await Verifier([trusted], clock).verify(token)


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    """The token, and nothing but it, on one line."""
    said = capsys.readouterr()
    assert said.err == ""
    (token,) = said.out.splitlines()
    return token


async def test_it_says_who_the_agent_is_and_for_whom(
    where: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    who = ["--sub", "agent-7", "--group", "agents", "--group", "writers", "--act", "alice"]
    assert cli.main(["token", *who, *where]) == cli.DONE
    principal = await verified(printed(capsys), tmp_path / "jwks.json")
    assert (principal.subject, principal.groups) == ("agent-7", ("agents", "writers"))
    assert principal.on_behalf_of is not None
    assert principal.on_behalf_of.id == "alice"


async def test_issuer_and_audience_are_what_was_asked_for(
    where: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ["--issuer", "https://idp.test", "--audience", "elsewhere"]
    assert cli.main(["token", "--sub", "a", *asked, *where]) == cli.DONE
    token = printed(capsys)
    assert (await verified(token, tmp_path / "jwks.json", "https://idp.test", "elsewhere")).subject == "a"
    with pytest.raises(Unauthenticated):
        await verified(token, tmp_path / "jwks.json")


def test_the_key_is_made_once_and_only_we_can_read_it(where: list[str], tmp_path: Path) -> None:
    key = tmp_path / "idp.key"
    assert cli.main(["token", "--sub", "a", *where]) == cli.DONE
    first = key.read_bytes()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert cli.main(["token", "--sub", "b", *where]) == cli.DONE
    assert key.read_bytes() == first


@pytest.mark.parametrize(("options", "seconds"), [([], 3600), (["--ttl", "3h30m"], 12_600)])
def test_how_long_it_lasts_is_what_was_asked_for(
    where: list[str], capsys: pytest.CaptureFixture[str], options: list[str], seconds: int
) -> None:
    assert cli.main(["token", "--sub", "a", *options, *where]) == cli.DONE
    payload = printed(capsys).split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert claims["exp"] - claims["iat"] == seconds


@pytest.mark.parametrize("ttl", ["3600", "soon", "-1h", ""])
def test_a_length_that_is_none_is_a_usage_error(where: list[str], capsys: pytest.CaptureFixture[str], ttl: str) -> None:
    assert cli.main(["token", "--sub", "a", f"--ttl={ttl}", *where]) == cli.USAGE
    said = capsys.readouterr()
    assert "--ttl" in said.err
    assert said.out == ""


def test_without_a_key_set_to_write_no_key_is_made(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = tmp_path / "idp.key"
    assert cli.main(["token", "--sub", "a", "--key", str(key)]) == cli.USAGE
    assert "there is no such key" in capsys.readouterr().err
    assert not key.exists()


def test_what_is_no_key_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = tmp_path / "idp.key"
    key.write_text("not a key, but perhaps secret")
    assert cli.main(["token", "--sub", "a", "--key", str(key)]) == cli.USAGE
    assert "perhaps secret" not in capsys.readouterr().err
