"""What the section `policy` may say: engines that can be believed, bundles from places that can be named."""

from pathlib import Path

import pytest

from tests.config.world import changed, told, warned

URL = "https://bundles.example/v1/pci.tar.gz"


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("bundle", URL),
        ("bundle", "http://127.0.0.1:6480/v1/bundles/querywarden.tar.gz"),
        ("opa", {"url": "unix:///run/opa.sock"}),
        ("opa", {"url": "http://127.0.0.1:8181"}),
        ("opa", {"url": "https://opa.example", "token": {"env": "T"}, "ca": "ca.pem"}),
        ("opa", {"url": "https://opa.example/", "tls": {"cert": "server.pem", "key": "server.key"}}),
        ("revoked_keys", ["policy-2025"]),
        ("publish", {"name": "pci", "token": {"env": "T"}}),
        ("shadow", "bundle.tar.gz"),
    ],
)
def test_what_can_be_used_is_taken(folder: Path, where: str, value: object) -> None:
    assert warned(folder, changed(f"policy.{where}", value)) == []


@pytest.mark.parametrize(
    ("where", "value", "words"),
    [
        ("engine", "opa", "engine opa needs opa: {url: …}"),
        ("second_engine", {"engine": "embedded"}, "is the one that decides"),
        ("second_engine", {"engine": "opa"}, "engine opa needs opa: {url: …}"),
        ("opa", {"url": "http://opa.example:8181"}, "others could answer in OPA's place"),
        ("opa", {"url": "https://u:p@opa.example"}, "write unix:///path"),
        ("opa", {"url": "https://opa.example/v1"}, "write unix:///path"),
        ("opa", {"url": "unix://relative"}, "write unix:///path"),
        ("opa", {"url": "opa.example"}, "write unix:///path"),
        ("opa", {"url": "https://[::1"}, "write unix:///path"),
        ("opa", {"url": "unix:///x", "timeout": "0s"}, "between 1ms and 1m"),
        ("opa", {"url": "https://x", "ca": "missing.pem"}, "No such file"),
        ("opa", {"url": "https://x", "tls": {"cert": "server.pem", "key": "missing"}}, "No such file"),
        ("opa", {"url": "https://x", "token": {"file": "missing"}}, "No such file"),
        ("bundle", "https://u:p@bundles.example/x", "without a user name"),
        ("shadow", URL, "give its path"),
        ("publish", {"token": {"file": "missing"}}, "No such file"),
    ],
)
def test_what_cannot_be_used_is_refused(folder: Path, where: str, value: object, words: str) -> None:
    (found,) = told(folder, changed(f"policy.{where}", value))
    assert words in found


@pytest.mark.parametrize(
    ("server", "words"),
    [
        ({"poll": "1ms"}, "between 1s and 1h"),
        ({"timeout": "0s"}, "more than nothing"),
        ({"ca": "missing.pem"}, "No such file"),
        ({"token": {"file": "missing"}}, "No such file"),
    ],
)
def test_a_bundle_server_is_checked_when_there_is_one(folder: Path, server: object, words: str) -> None:
    text = changed("policy.bundle_server", server)
    assert told(folder, text) == []
    (found,) = told(folder, changed("policy.bundle", URL, text))
    assert words in found


def test_a_token_does_not_travel_in_the_clear(folder: Path) -> None:
    plain = changed("policy.bundle", "http://bundles.example/x")
    (warning,) = warned(folder, plain)
    assert "hold back a new bundle" in warning
    (found,) = told(folder, changed("policy.bundle_server.token", {"env": "T"}, plain))
    assert "read the token" in found


def test_a_candidate_that_is_not_there_yet_is_a_warning(folder: Path) -> None:
    (warning,) = warned(folder, changed("policy.shadow", "next.tar.gz"))
    assert "nothing is compared" in warning
