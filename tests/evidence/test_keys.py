"""The log's keys: made once, readable by us only, and nothing secret in what is printed."""

import stat
from pathlib import Path

import pytest

from gateway.evidence.keys import MacKey, create_keys, epochs, load_keys, load_verifier, public_key


def test_keys_come_back_as_they_were_made(tmp_path: Path) -> None:
    made = create_keys(tmp_path / "keys", 1, "log.test")
    again = load_keys(tmp_path / "keys", 1)
    assert again.signer.encode() == made.signer.encode()
    assert again.mac_key.mac(b"x") == made.mac_key.mac(b"x")
    assert load_verifier(public_key(tmp_path / "keys", 1)).encode() == made.signer.verifier.encode()


def test_every_log_has_a_name_of_its_own(tmp_path: Path) -> None:
    names = {create_keys(tmp_path / str(n), 1, "log.test").signer.verifier.name for n in range(3)}
    assert len(names) == 3
    assert all(name.startswith("log.test/") and name.endswith("/1") for name in names)


def test_secret_keys_are_readable_by_us_only(tmp_path: Path) -> None:
    create_keys(tmp_path / "keys", 1)
    for path in (tmp_path / "keys").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700


def test_keys_are_never_made_twice_for_an_epoch(tmp_path: Path) -> None:
    create_keys(tmp_path, 1)
    with pytest.raises(FileExistsError):
        create_keys(tmp_path, 1)


def test_epochs_are_counted_by_their_signing_keys(tmp_path: Path) -> None:
    for number in (1, 2, 10):
        create_keys(tmp_path, number)
    (tmp_path / "log-x.key").touch()
    (tmp_path / "mac-11.key").touch()
    assert epochs(tmp_path) == [1, 2, 10]


@pytest.mark.parametrize("name", ["log-1.key", "mac-1.key"])
def test_a_damaged_key_is_refused(tmp_path: Path, name: str) -> None:
    create_keys(tmp_path, 1)
    (tmp_path / name).write_text("00", encoding="ascii")
    with pytest.raises(ValueError, match="not a"):
        load_keys(tmp_path, 1)


def test_a_mac_key_binds_bytes_and_shows_nothing() -> None:
    key = MacKey(b"\x0b" * 20)
    known = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"  # RFC 4231, §4.2
    assert key.mac(b"Hi There") == f"hmac:{known}"
    assert key.mac(b"Hi There") != MacKey(bytes(32)).mac(b"Hi There")
    assert repr(key) == "MacKey()"
