"""Certificates: the newest that loads is the one that is shown."""

import ssl
from pathlib import Path

import pytest

from gateway.core.errors import ConfigError
from gateway.frontends.certificate import Certificate
from tests.support import certificates


def certificate(folder: Path) -> Certificate:
    issued = certificates.issue(folder)
    return Certificate(issued.cert, issued.key, ["postgresql"])


def test_tls_begins_at_1_2(tmp_path: Path) -> None:
    assert certificate(tmp_path).context().minimum_version is ssl.TLSVersion.TLSv1_2


def test_the_context_stays_while_the_files_do(tmp_path: Path) -> None:
    shown = certificate(tmp_path)
    assert shown.context() is shown.context()


def test_new_files_make_a_new_context(tmp_path: Path) -> None:
    shown = certificate(tmp_path)
    before = shown.context()
    certificates.issue(tmp_path)
    assert shown.context() is not before


@pytest.mark.parametrize("broken", ["cert", "key"])
def test_files_that_do_not_load_leave_the_old_context(tmp_path: Path, broken: str) -> None:
    shown = certificate(tmp_path)
    before = shown.context()
    path = shown.cert if broken == "cert" else shown.key
    path.write_text("half a file")
    assert shown.context() is before
    path.unlink()
    assert shown.context() is before


def test_files_that_never_loaded_are_a_mistake_of_the_configuration(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        Certificate(tmp_path / "none.pem", tmp_path / "none.key", []).context()
