"""Who types is who this machine says they are."""

import os
import pwd
from pathlib import Path
from types import SimpleNamespace

import pytest

from gateway.cli import person


def test_who_became_the_account_by_sudo_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    account = pwd.getpwuid(os.getuid()).pw_name
    monkeypatch.setenv("SUDO_USER", "maria")
    assert person.whoami() == f"maria as {account}"
    monkeypatch.delenv("SUDO_USER")
    assert person.whoami() == account


def test_an_account_without_a_name_is_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4_000_000_001)
    monkeypatch.delenv("SUDO_USER", raising=False)
    assert person.whoami() == "uid 4000000001"


def test_root_writes_as_the_owner_and_is_root_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    became: list[tuple[str, int]] = []
    owner = SimpleNamespace(st_uid=4321, st_gid=1234)
    monkeypatch.setattr(Path, "stat", lambda _: owner)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "getegid", lambda: 7)
    monkeypatch.setattr(os, "seteuid", lambda uid: became.append(("user", uid)))
    monkeypatch.setattr(os, "setegid", lambda gid: became.append(("group", gid)))

    def fail() -> None:
        with person.as_owner(tmp_path):
            became.append(("written", 0))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert became == [("group", 1234), ("user", 4321), ("written", 0), ("user", 0), ("group", 7)]
    became.clear()
    owner.st_uid = 0
    with person.as_owner(tmp_path):
        assert became == []
    owner.st_uid = 4321
    monkeypatch.setattr(os, "geteuid", lambda: 4321)
    with person.as_owner(tmp_path):
        assert became == []
