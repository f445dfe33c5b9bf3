"""SCRAM bound to the server's certificate: who stands in the middle gets no session, trusted certificate or not."""

import asyncio
import base64
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from gateway.core.errors import Unavailable
from gateway.upstream.postgres import connect
from gateway.upstream.query import fetch
from gateway.upstream.target import Target
from tests.support import certificates
from tests.support.certificates import ServerTls
from tests.support.postgres import Cluster
from tests.upstream.middle import Change, Middle, in_the_middle

MakeTarget = Callable[..., Target]
_PLUS = b"SCRAM-SHA-256-PLUS\0"
_FINAL = re.compile(rb"c=([A-Za-z0-9+/=]+),r=")


@pytest.fixture
def foreign(tmp_path: Path) -> ServerTls:
    """Another certificate for the same address, of an authority that is trusted."""
    return certificates.issue(tmp_path, trustme.CA())


@pytest.fixture
async def own(tmp_path: Path, cluster: Cluster, target: MakeTarget) -> AsyncIterator[Middle]:
    """One who has the server's own certificate and key, so that nothing tells him from it: an observer."""
    stolen = ServerTls(cluster.tls.ca, tmp_path / "stolen.pem", tmp_path / "stolen.key")
    stolen.cert.write_bytes(cluster.tls.cert.read_bytes())
    stolen.key.write_bytes(cluster.tls.key.read_bytes())
    async with in_the_middle(target(), stolen) as middle:
        yield middle


def without_plus(data: bytes) -> bytes:
    """The list of mechanisms without the bound one; the length of the message follows."""
    if not data.startswith(b"R") or _PLUS not in data:
        return data
    size = int.from_bytes(data[1:5], "big")
    shorter = data[5 : 1 + size].replace(_PLUS, b"")
    return b"R" + (len(shorter) + 4).to_bytes(4, "big") + shorter + data[1 + size :]


@pytest.mark.parametrize("channel_binding", ["prefer", "require"])
async def test_the_login_is_bound_to_the_certificate_of_a_real_server(
    target: MakeTarget, own: Middle, cluster: Cluster, channel_binding: str
) -> None:
    link = await connect(target(port=own.port, channel_binding=channel_binding))
    assert await fetch(link, "SELECT current_user") == [("agent_ro",)]
    await link.stream.close()
    assert _PLUS in own.heard
    assert _PLUS in own.said
    assert b"p=tls-server-end-point,,n=,r=" in own.said
    proof = _FINAL.search(own.said)
    assert proof is not None
    shown = x509.load_pem_x509_certificate(cluster.tls.cert.read_bytes())
    assert base64.b64decode(proof[1]) == b"p=tls-server-end-point,," + shown.fingerprint(hashes.SHA256())


async def refused(connecting: Target) -> Unavailable:
    with pytest.raises(Unavailable) as failed:
        await connect(connecting)
    await asyncio.sleep(0.01)  # transports end in the next turns of the loop
    return failed.value


@pytest.mark.parametrize("channel_binding", ["prefer", "require"])
async def test_a_man_in_the_middle_with_another_trusted_certificate_is_refused(
    target: MakeTarget, foreign: ServerTls, channel_binding: str
) -> None:
    async with in_the_middle(target(), foreign) as middle:
        failed = await refused(target(port=middle.port, ca=foreign.ca, channel_binding=channel_binding))
    assert (failed.code, failed.detail) == ("upstream.refused", "SQLSTATE 28000")
    assert b"p=tls-server-end-point,," in middle.said
    assert b"channel binding check failed" in middle.heard, "it is the server that noticed"


@pytest.mark.parametrize(
    ("channel_binding", "code", "noticed"),
    [("prefer", "upstream.refused", b"channel binding negotiation error"), ("require", "upstream.tls", b"")],
)
async def test_a_mechanism_taken_off_the_list_is_noticed(
    target: MakeTarget, foreign: ServerTls, channel_binding: str, code: str, noticed: bytes
) -> None:
    async with in_the_middle(target(), foreign, without_plus) as middle:
        failed = await refused(target(port=middle.port, ca=foreign.ca, channel_binding=channel_binding))
    assert failed.code == code
    assert noticed in middle.heard
    assert b"p=tls-server-end-point" not in middle.said
    assert (b"y,,n=,r=" in middle.said) == (channel_binding == "prefer")


def as_cleartext(data: bytes) -> bytes:
    """Asks for the password itself."""
    return b"R\0\0\0\x08\0\0\0\x03" if data.startswith(b"R") and _PLUS in data else data


@pytest.mark.parametrize("asks", [as_cleartext, lambda data: data and b"R\0\0\0\x08\0\0\0\0"])
async def test_where_binding_is_required_nothing_is_given_to_one_who_asks_for_less(
    target: MakeTarget, foreign: ServerTls, asks: Change
) -> None:
    async with in_the_middle(target(), foreign, asks) as middle:
        failed = await refused(target(port=middle.port, ca=foreign.ca, channel_binding="require"))
    assert failed.code == "upstream.tls"
    assert b"password" not in middle.said


@pytest.mark.parametrize("changed", [{"tls": "disable"}, {"user": "login_md5"}, {"user": "login_clear"}])
async def test_where_binding_is_required_a_server_that_cannot_is_refused(
    target: MakeTarget, changed: dict[str, str]
) -> None:
    assert (await refused(target(channel_binding="require", **changed))).code == "upstream.tls"
