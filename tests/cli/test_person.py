"""Who types is who this machine says they are."""

import os
import pwd

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
