"""A data key opens for each recipient, for its session, and for nobody else."""

from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from gateway.core.errors import ConfigError
from gateway.evidence.recording.format import RecordingError
from gateway.evidence.recording.keys import (
    KeyFile,
    load_private,
    load_recipient,
    make_private,
    private_key,
    public_of,
    unwrap,
    wrap,
)
from tests.evidence.recording.world import KEY, OTHER, SID, private, recipient


def name_of(key_file: bytes, reader: bytes, sid: str = SID) -> str:
    with pytest.raises(RecordingError) as caught:
        unwrap(key_file, sid, private_key(reader))
    return caught.value.name


def test_every_recipient_opens_it_and_nobody_else() -> None:
    first, second, stranger = private(), private(), make_private()
    wrapped = wrap(KEY, SID, (recipient(first), recipient(second)))
    assert unwrap(wrapped, SID, first) == unwrap(wrapped, SID, second) == KEY
    assert name_of(wrapped, stranger) == "recording.wrong_key"
    assert KEY not in wrapped


def test_each_wrapping_is_another() -> None:
    reader = recipient(private())
    assert wrap(KEY, SID, (reader,)) != wrap(KEY, SID, (reader,))


def test_a_wrapped_key_of_another_session_is_of_no_use() -> None:
    pem = make_private()
    reader = recipient(private_key(pem))
    assert name_of(wrap(KEY, OTHER, (reader,)), pem) == "recording.key_changed"
    lying = wrap(KEY, OTHER, (reader,)).replace(OTHER.encode(), SID.encode())
    assert name_of(lying, pem) == "recording.key_changed"


def test_every_change_of_a_key_file_is_named() -> None:
    pem = make_private()
    good = msgspec.json.decode(wrap(KEY, SID, (recipient(private_key(pem)),)), type=KeyFile)
    (mine,) = good.recipients
    for wrapped in ("", "AAAA", "?", mine.wrapped[:-8] + "AAAAAAA=", wrapped_of(b"too short", pem)):
        changed = msgspec.structs.replace(mine, wrapped=wrapped)
        bad = msgspec.json.encode(msgspec.structs.replace(good, recipients=(changed,)))
        assert name_of(bad, pem) == "recording.key_changed"
    for bad in (b"", b"{}", b"\xff", msgspec.json.encode(msgspec.structs.replace(good, suite="none"))):
        assert name_of(bad, pem) == "recording.key_changed"


def wrapped_of(key: bytes, pem: bytes) -> str:
    made = msgspec.json.decode(wrap(key, SID, (recipient(private_key(pem)),)), type=KeyFile)
    return made.recipients[0].wrapped


def test_keys_are_read_from_files_and_others_refused(tmp_path: Path) -> None:
    pem, other = make_private(), ed25519.Ed25519PrivateKey.generate()
    files = {
        "good": pem,
        "good.pub": public_of(pem),
        "ed": other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        "ed.pub": other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "empty": b"",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    assert load_recipient(tmp_path / "good.pub").fingerprint == recipient(load_private(tmp_path / "good")).fingerprint
    with pytest.raises(ConfigError, match="private key"):
        load_recipient(tmp_path / "good")
    for name in ("ed.pub", "empty"):
        with pytest.raises(ConfigError, match="X25519"):
            load_recipient(tmp_path / name)
    for name in ("ed", "good.pub", "empty"):
        with pytest.raises(ConfigError, match="X25519"):
            load_private(tmp_path / name)
