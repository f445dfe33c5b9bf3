"""A client that trusts the demo's authority accepts its server, and no other name."""

import socket
import ssl
import threading
from pathlib import Path

import pytest

from gateway.cli.demo import certificate
from gateway.core.clock import SystemClock


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    certificate.issue(tmp_path / "tls", SystemClock())
    return tmp_path / "tls"


def handshake(folder: Path, hostname: str) -> None:
    """TLS over a pair of sockets. Raises ssl.SSLError when the client does not accept the server."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "server.pem", folder / "server.key")
    client = ssl.create_default_context(cafile=folder / "ca.pem")
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    near, far = socket.socketpair()
    with near, far:
        answering = threading.Thread(target=answer, args=(server, far))
        answering.start()
        try:
            client.wrap_socket(near, server_hostname=hostname).close()
        finally:
            near.close()
            answering.join()


def answer(context: ssl.SSLContext, connection: socket.socket) -> None:
    try:
        context.wrap_socket(connection, server_side=True).close()
    except (ssl.SSLError, OSError):
        connection.close()


@pytest.mark.parametrize("hostname", ["localhost", "127.0.0.1"])
def test_a_strict_client_accepts_the_server_under_its_names(folder: Path, hostname: str) -> None:
    handshake(folder, hostname)


def test_no_other_name_is_accepted(folder: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(folder, "elsewhere.example")


def test_only_the_owner_reads_the_key_and_the_authoritys_key_is_gone(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == ["ca.pem", "server.key", "server.pem"]
    assert (folder / "server.key").stat().st_mode & 0o777 == 0o600
