"""What no single setting can tell: parts that are not built yet, files that are not there, settings at odds."""

import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from gateway.evidence.recording.keys import make_private, public_of
from tests.config.world import GOOD, changed, furnish, told, warned
from tests.support import certificates

NOT_YET = "not available in this version"
LISTENER = {"address": "127.0.0.1:1", "insecure_loopback": True}


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("listeners.mysql", LISTENER),
        ("connections.payments.type", "mysql"),
        ("approvals.notify", [{"webhook": "https://hooks.example"}]),
        ("stores.state", "postgresql://db/state"),
        ("stores.objects", "s3://bucket"),
    ],
)
def test_what_is_not_built_yet_is_refused_at_its_line(folder: Path, where: str, value: object) -> None:
    text = changed(where, value)
    (found,) = told(folder, text)
    line, _, said = found.partition(": ")
    assert NOT_YET in said
    assert said.startswith(where)
    key = where.rpartition(".")[2]
    assert f"{key}:" in "\n".join(text.splitlines()[int(line) - 2 : int(line)])


def test_recordings_are_encrypted_to_public_keys_only(folder: Path) -> None:
    private = make_private()
    (folder / "recording").write_bytes(private)
    (folder / "recording.pub").write_bytes(public_of(private))
    assert told(folder, changed("evidence.recording.recipients", ["recording.pub"])) == []
    (refused,) = told(folder, changed("evidence.recording.recipients", ["recording"]))
    assert "this is a private key" in refused
    (refused,) = told(folder, changed("evidence.recording.recipients", ["missing.pub"]))
    assert "No such file" in refused


def test_a_login_bound_to_a_certificate_needs_one(folder: Path) -> None:
    (refused,) = told(folder, changed("connections.payments.tls", {"mode": "disable", "channel_binding": "require"}))
    assert "needs TLS" in refused


@pytest.mark.parametrize(
    ("where", "value", "words"),
    [
        ("approvals.hold", "30s", "what needs one is denied"),
        ("evidence.retention", {"hot": "1d", "total": "2d"}, "PCI DSS 10.5.1 wants twelve months"),
        ("policy.bundle", "missing.tar.gz", "everything is denied"),
        ("evidence.recording.content", "full", "nobody could read it"),
        ("connections.payments.tls", {"mode": "disable"}, ""),
    ],
)
def test_what_does_not_stop_the_gateway_is_a_warning(folder: Path, where: str, value: object, words: str) -> None:
    text = changed(where, value)
    if where.endswith("tls"):
        text = text.replace("host: 127.0.0.1", "host: db.example")
        words = "does not prove whom we speak to"
    (warning,) = warned(folder, text)
    assert words in warning


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({}, "no postgres listener"),
        ({"postgres": {"address": "127.0.0.1:6432"}}, "no tls: tokens travel as passwords"),
        ({"postgres": {"address": "10.0.0.1:6432", "insecure_loopback": True}}, "the address is not loopback"),
        ({"postgres": [LISTENER, LISTENER]}, "127.0.0.1:1 is used by 2 listeners"),
        ({"postgres": [LISTENER, {"address": "127.0.0.1:2"}]}, "listeners.postgres[1]: no tls"),
    ],
)
def test_a_listener_that_could_give_tokens_away_is_refused(folder: Path, value: object, words: str) -> None:
    (found,) = told(folder, changed("listeners", value))
    assert words in found


@pytest.mark.parametrize(
    "value",
    [
        LISTENER,
        [LISTENER, {"address": "localhost:2", "insecure_loopback": True}],
        [{**LISTENER, "address": "127.0.0.1:0"}] * 2,
    ],
)
def test_loopback_without_tls_is_taken_when_it_is_asked_for(folder: Path, value: object) -> None:
    assert told(folder, changed("listeners.postgres", value)) == []


def test_certificate_and_key_must_belong_together(tmp_path: Path) -> None:
    furnish(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    certificates.issue(other)
    (found,) = told(tmp_path, GOOD.replace("server.key", "other/server.key"))
    assert "do not belong together" in found


@pytest.mark.parametrize("name", ["server.pem", "server.key", "jwks.json", "policy.pub", "ca.pem"])
@pytest.mark.parametrize("damage", ["missing", "folder", "pipe", "nothing in it"])
def test_every_file_that_is_named_must_be_one_that_can_be_used(tmp_path: Path, name: str, damage: str) -> None:
    path = furnish(tmp_path) / name
    path.unlink()
    match damage:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "nothing in it":
            path.touch(mode=0o600)
    assert len(told(tmp_path, GOOD)) == 1


@pytest.mark.parametrize(("mode", "refused"), [(0o600, False), (0o640, False), (0o644, True), (0o602, True)])
def test_a_private_key_everybody_may_read_is_refused(tmp_path: Path, mode: int, *, refused: bool) -> None:
    (furnish(tmp_path) / "server.key").chmod(mode)
    found = told(tmp_path, GOOD)
    assert bool(found) == refused
    assert all("chmod 600" in each for each in found)


def test_a_secret_file_everybody_may_read_is_refused(tmp_path: Path) -> None:
    secret = furnish(tmp_path) / "password"
    secret.write_text("x")
    secret.chmod(0o644)
    text = GOOD.replace("{env: PAYMENTS_PASSWORD}", "{file: password}")
    (found,) = told(tmp_path, text)
    assert "connections.payments.password.file" in found
    secret.chmod(0o600)
    assert told(tmp_path, text) == []


def test_a_secret_program_must_be_there(folder: Path) -> None:
    (found,) = told(folder, GOOD.replace("{env: PAYMENTS_PASSWORD}", "{command: [no-such-program-here]}"))
    assert found.endswith("connections.payments.password.command: there is no such program")
    assert told(folder, GOOD.replace("{env: PAYMENTS_PASSWORD}", "{command: [sh, -c, pass]}")) == []


def test_a_data_folder_others_may_read_is_warned_of(tmp_path: Path) -> None:
    furnish(tmp_path)
    (tmp_path / "var").mkdir(mode=0o755)
    assert warned(tmp_path, GOOD) == ["1: data_dir: others may read this folder: chmod 700"]
    (tmp_path / "var").chmod(0o700)
    assert warned(tmp_path, GOOD) == []
    (tmp_path / "var").rmdir()
    (tmp_path / "var").touch()
    assert told(tmp_path, GOOD) == ["1: data_dir: is not a folder"]
    (found,) = told(tmp_path, changed("data_dir", "x" * 300))
    assert "File name too long" in found


def test_a_key_that_cannot_verify_bundles_is_refused_as_serve_would(tmp_path: Path) -> None:
    public = ed25519.Ed25519PrivateKey.generate().public_key()
    (furnish(tmp_path) / "policy.pub").write_bytes(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    (found,) = told(tmp_path, GOOD)
    assert "RSA" in found


@pytest.mark.parametrize(
    ("where", "value", "words"),
    [
        ("connections.payments.limits.idle_timeout", "0s", "more than nothing"),
        ("connections.payments.limits.session_max", "0s", "more than nothing"),
        ("connections.payments.limits.message_max", "1KiB", "between 64KiB and 1GiB"),
        ("connections.payments.limits.message_max", "2GiB", "between 64KiB and 1GiB"),
        ("connections.payments.search_path", ["public", "$user"], "search_path[1]: names another schema"),
        ("connections.payments.search_path", ["pg_temp"], "names another schema"),
        ("evidence.checkpoint_interval", "1ms", "between 100ms and 1h"),
        ("evidence.checkpoint_interval", "2h", "between 100ms and 1h"),
        ("evidence.retention", {"hot": "10d", "total": "1d"}, "hot is longer than total"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(folder: Path, where: str, value: object, words: str) -> None:
    (found,) = told(folder, changed(where, value))
    assert words in found


def test_each_connection_is_checked_on_its_own(folder: Path) -> None:
    text = GOOD + "  broken: {type: postgres}\n  other: {type: mysql, host: h, database: d, user: u}\n"
    found = told(folder, text)
    assert len(found) == 4
    assert sum("broken: " in each and "is missing" in each for each in found) == 3
    assert sum(NOT_YET in each for each in found) == 1
