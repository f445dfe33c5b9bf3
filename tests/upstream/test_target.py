"""A target: what is pinned, which TLS, and no password to be seen."""

import ssl
from pathlib import Path

import pytest

from gateway.core.errors import Unavailable
from gateway.upstream.target import Target


def target(host: str = "db.example", **more: object) -> Target:
    return Target(name="payments", host=host, port=5432, database="d", user="u", password=lambda: "hunter2", **more)  # type: ignore[arg-type]  # each test gives the field its own type


def test_the_repr_shows_no_password() -> None:
    assert "password" not in repr(target())


@pytest.mark.parametrize(
    ("schemas", "path"),
    [
        (("public",), "public, pg_temp"),
        (("Odd", 'a"b', "x, y"), '"Odd", "a""b", "x, y", pg_temp'),
        (("",), '"", pg_temp'),
        (("pg_temp", "public"), "pg_temp, public"),
    ],
)
def test_the_search_path_is_quoted_where_it_must_be_and_temporary_names_come_last(
    schemas: tuple[str, ...], path: str
) -> None:
    assert target(search_path=schemas).pinned["search_path"] == path


def test_names_and_certificates_are_verified_by_default() -> None:
    context = target().tls_context()
    assert context is not None
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_require_encrypts_without_asking_who_is_there() -> None:
    context = target(tls="require").tls_context()
    assert context is not None
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_NONE, False)


def test_disabled_tls_and_unix_sockets_have_no_context() -> None:
    assert target(tls="disable").tls_context() is None
    assert target("/run/postgresql").tls_context() is None
    assert target("/run/postgresql/").unix_socket == "/run/postgresql/.s.PGSQL.5432"


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_an_authority_that_cannot_be_read_is_said_to_be_so(tmp_path: Path, content: str | None) -> None:
    ca = tmp_path / "ca.pem"
    if content is not None:
        ca.write_text(content)
    with pytest.raises(Unavailable, match=r"upstream\.tls"):
        target(ca=ca).tls_context()
