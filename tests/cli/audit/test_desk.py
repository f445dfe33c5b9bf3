"""Where the log lies and whose key is believed, and what a damaged log ends with."""

import shutil
from pathlib import Path

import pytest

from gateway.cli.audit.desk import Unreadable, data_folder, reading, trusted
from gateway.core.errors import ConfigError
from gateway.evidence.keys import create_keys, public_key
from tests.cli.audit.world import ARCHIVE

CONFIG = """\
version: 1
data_dir: elsewhere
listeners:
  postgres: {address: "127.0.0.1:0", insecure_loopback: true}
identity: {issuers: [{issuer: "https://idp.test", audience: [q]}]}
policy: {bundle: bundle.tar.gz, verification_keys: [policy.pub]}
connections: {payments: {type: postgres, host: 127.0.0.1, database: p, user: u}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "gateway.yaml"
    path.write_text(CONFIG, encoding="utf-8")
    shutil.copy(ARCHIVE.parent / "policy.pub", tmp_path)
    return path


def test_the_folder_is_the_one_that_was_named(tmp_path: Path) -> None:
    assert data_folder(None, tmp_path) == tmp_path


def test_the_folder_is_the_one_of_the_configuration(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert data_folder(config, None) == config.parent / "elsewhere"
    monkeypatch.chdir(config.parent)
    assert data_folder(None, None).resolve() == config.parent / "elsewhere"


def test_two_places_or_none_are_a_usage_error(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path / "..")
    for place in ((config, tmp_path), (None, None)):
        with pytest.raises(ConfigError):
            data_folder(*place)


def test_a_key_is_read_and_what_is_none_is_a_usage_error(tmp_path: Path) -> None:
    made = create_keys(tmp_path, 1)
    found = trusted(public_key(tmp_path, 1))
    assert found is not None
    assert found.encode() == made.signer.verifier.encode()
    assert trusted(None) is None
    (tmp_path / "other").write_bytes(b"\xff")
    for name in ("other", "mac-1.key"):
        with pytest.raises(ConfigError, match="not the public key"):
            trusted(tmp_path / name)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValueError("bad"), Unreadable),
        (FileNotFoundError(2, "no", "/var/log/1/tile/0/000"), Unreadable),
        (FileNotFoundError(2, "no log here", "/var/log"), FileNotFoundError),
        (PermissionError(13, "no", "/var/log"), PermissionError),
    ],
)
def test_what_a_damaged_log_raises_becomes_one_sentence(error: Exception, kind: type[Exception]) -> None:
    with pytest.raises(kind), reading():
        raise error
