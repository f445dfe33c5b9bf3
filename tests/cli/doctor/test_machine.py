"""The disk is tried and left as it was; certificates are told before they end."""

import datetime as dt
import os
import shutil
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from gateway.cli.doctor import machine
from gateway.cli.doctor.result import Status
from gateway.config.load import hook_for
from gateway.config.settings import Settings
from gateway.core.clock import SystemClock
from tests.support import certificates

NS = 1_000_000_000


class Fixed:
    """A clock that stands still."""

    def __init__(self, now: float = 0) -> None:
        self._now = int(now * NS)

    def now_ns(self) -> int:
        return self._now

    def monotonic_ns(self) -> int:
        return self._now


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def test_a_folder_that_is_there_is_written_to_and_left_as_it_was(tmp_path: Path) -> None:
    result = machine.disk(tmp_path, SystemClock())
    assert result.status in {Status.FINE, Status.NOTE}
    assert "a sync takes" in result.text
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    result = machine.disk(tmp_path / "var" / "deep", SystemClock())
    assert result.status is Status.FINE
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_a_no(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1 << 40, 1 << 40, 1 << 20))
    assert machine.disk(tmp_path, SystemClock()).status is Status.NO


def test_a_folder_of_somebody_else_is_a_no(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert machine.disk(tmp_path, SystemClock()).status is Status.NO


def test_a_disk_that_refuses_the_file_is_a_no(tmp_path: Path) -> None:
    path = tmp_path / "a file, not a folder"
    path.touch(mode=0o700)
    result = machine.disk(path, SystemClock())
    assert (result.status, result.remedy) == (Status.NO, "Look at the file system.")


def settings(folder: Path) -> Settings:
    tls = {"cert": str(folder / "server.pem"), "key": str(folder / "server.key")}
    document = {
        "version": 1,
        "listeners": {"postgres": [{"address": "127.0.0.1:1", "tls": tls}, {"address": "127.0.0.1:2"}]},
        "identity": {"issuers": [{"issuer": "https://idp.test", "audience": ["querywarden"]}]},
        "policy": {"bundle": "b", "verification_keys": ["k"]},
        "connections": {"payments": {"type": "postgres", "host": "h", "database": "d", "user": "u"}},
    }
    return msgspec.convert(document, Settings, dec_hook=hook_for(folder))


@pytest.mark.parametrize(("days_before", "status"), [(30, Status.FINE), (13, Status.NOTE), (-1, Status.NO)])
def test_a_certificate_is_told_two_weeks_before_its_end(tmp_path: Path, days_before: int, status: Status) -> None:
    certificates.issue(tmp_path)
    (now,) = machine.certificates(settings(tmp_path), SystemClock())
    end = dt.datetime.strptime(now.text.removeprefix("holds until "), "%Y-%m-%d %H:%MZ").replace(tzinfo=dt.UTC)
    (result,) = machine.certificates(settings(tmp_path), Fixed(end.timestamp() - days_before * 86_400))
    assert result.status is status


def test_a_certificate_that_cannot_be_read_is_a_no(tmp_path: Path) -> None:
    (tmp_path / "server.pem").write_text("nothing")
    (result,) = machine.certificates(settings(tmp_path), SystemClock())
    assert result.status is Status.NO
