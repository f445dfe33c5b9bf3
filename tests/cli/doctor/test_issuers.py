"""An issuer's keys are read once, from where the gateway would."""

from pathlib import Path

import pytest
from aiohttp import web

from gateway.cli.doctor.issuers import look
from gateway.cli.doctor.result import Status
from gateway.config.settings import Issuer
from tests.support import identity

NAME = "https://idp.test"


async def test_a_key_set_of_a_file_is_counted(tmp_path: Path) -> None:
    keys = identity.Issuer().write_jwks(tmp_path / "jwks.json")
    result = await look(Issuer(issuer=NAME, audience=("querywarden",), jwks_file=keys))
    assert (result.status, result.text) == (Status.FINE, "3 keys, for ES256, EdDSA, RS256")


async def test_a_missing_file_is_unreachable_and_a_broken_one_a_no(tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"
    asked = Issuer(issuer=NAME, audience=("querywarden",), jwks_file=path)
    assert (await look(asked)).status is Status.UNREACHABLE
    path.write_text("{}")
    assert (await look(asked)).status is Status.NO


async def test_keys_none_of_which_fits_are_a_no(tmp_path: Path) -> None:
    keys = identity.Issuer([identity.new_key("ES256")]).write_jwks(tmp_path / "jwks.json")
    result = await look(Issuer(issuer=NAME, audience=("querywarden",), jwks_file=keys, algorithms=("EdDSA",)))
    assert result.status is Status.NO


async def test_an_authority_that_cannot_be_read_is_a_no(tmp_path: Path) -> None:
    asked = Issuer(issuer=NAME, audience=("querywarden",), jwks_uri="https://idp.test/k", jwks_ca=tmp_path / "ca.pem")
    assert (await look(asked)).status is Status.NO


@pytest.mark.parametrize(("status", "found"), [(200, Status.FINE), (500, Status.UNREACHABLE)])
async def test_an_address_is_asked(tmp_path: Path, status: int, found: Status) -> None:
    body = identity.Issuer().write_jwks(tmp_path / "jwks.json").read_bytes()

    async def answer(_: web.BaseRequest) -> web.Response:
        return web.Response(status=status, body=body)

    runner = web.ServerRunner(web.Server(answer))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        port = runner.addresses[0][1]
        asked = Issuer(issuer=NAME, audience=("querywarden",), jwks_uri=f"http://127.0.0.1:{port}/keys")
        assert (await look(asked)).status is found
    finally:
        await runner.cleanup()
