"""The configuration printed for OPA is what the gateway's own says; what could not work is said instead."""

import json
from pathlib import Path

import pytest

from gateway import cli
from tests.config.world import changed, furnish

LISTENERS = {
    "postgres": {"address": "127.0.0.1:6432", "tls": {"cert": "server.pem", "key": "server.key"}},
    "http": {"address": "127.0.0.1:6480", "insecure_loopback": True},
}


def printed(folder: Path, text: str, *options: str) -> int:
    (furnish(folder) / "gateway.yaml").write_text(text, encoding="utf-8")
    return cli.main(["policy", "opa-config", "-c", str(folder / "gateway.yaml"), *options])


def test_it_names_the_listener_and_the_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(tmp_path, changed("listeners", LISTENERS)) == cli.DONE
    said = json.loads(capsys.readouterr().out)
    assert said["services"]["gateway"]["url"] == "http://127.0.0.1:6480/v1"
    assert list(said["keys"]) == ["tests"]
    assert printed(tmp_path, changed("listeners", LISTENERS), "--url", "https://gw.example") == cli.DONE
    assert "https://gw.example/v1" in capsys.readouterr().out


def test_a_revoked_key_is_not_passed_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = changed("policy.revoked_keys", ["tests"], changed("listeners", LISTENERS))
    assert printed(tmp_path, text) == cli.DONE
    assert json.loads(capsys.readouterr().out)["keys"] == {}


def test_without_a_listener_or_a_token_it_says_what_is_missing(tmp_path: Path) -> None:
    assert printed(tmp_path, changed("policy.engine", "embedded")) == cli.USAGE
    text = changed("policy.publish", {"token": {"env": "T"}}, changed("listeners", LISTENERS))
    assert printed(tmp_path, text) == cli.USAGE
    assert printed(tmp_path, text, "--token-file", "/run/token") == cli.DONE
