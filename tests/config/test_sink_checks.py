"""A sink that would leak, or could not work, is found before the gateway starts."""

from pathlib import Path

import pytest

from gateway.config import sink_checks
from tests.config.world import changed, told, warned

SECRET = {"env": "HOOK"}


def sink(kind: str, **more: object) -> dict[str, object]:
    needed: dict[str, dict[str, object]] = {
        "file": {"path": "x.jsonl"}, "syslog": {"url": "tls://siem.example"},
        "http": {"url": "https://siem.example", "secret": SECRET},
        "otlp": {"url": "https://siem.example/v1/logs"},
        "splunk_hec": {"url": "https://siem.example:8088", "secret": SECRET}, "s3": {"url": "s3://bucket/prefix"},
    }  # fmt: skip
    return {"type": kind, "name": "one", **needed[kind], **more}


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([sink("file"), sink("http")], "2 sinks have the name one"),
        ([sink("http", url="http://siem.example")], "for this machine only"),
        ([sink("http", url="http://10.0.0.1")], "for this machine only"),
        ([sink("syslog", url="udp://10.0.0.1")], "for this machine only"),
        ([sink("syslog", url="tcp://siem.example:514")], "for this machine only"),
        ([sink("syslog", url="siem.example:6514")], "write tls://host"),
        ([sink("syslog", url="tls://siem.example:port")], "write tls://host"),
        ([sink("http", url="https://user:word@siem.example")], "secrets stand in `secret`"),
        ([sink("splunk_hec", url="https://siem.example:8088/services/collector")], "has a path"),
        ([sink("splunk_hec", ack_timeout="2h")], "must be between 1s and 1h"),
        ([sink("http", timeout="10m")], "must be between 1s and 5m"),
        ([sink("http", retry_max="1ms")], "must be between 1s and 1h"),
        ([sink("http", batch_bytes="1B")], "must be between 64KiB and 16MiB"),
        ([sink("http", event_bytes="2MiB")], "must be between 2KiB and 1MiB"),
        ([sink("http", secret={"file": "none"})], "No such file"),
        ([sink("http", tls={"cert": "server.pem"})], "given together"),
        ([sink("http", tls={"ca": "server.key"})], "no certificates in PEM form"),
        ([sink("file", rotate="1kB")], "at least 64KiB"),
        ([sink("s3", url="s3://B/x")], "write s3://bucket"),
        ([sink("s3", endpoint="http://s3.example")], "for this machine only"),
        ([sink("s3", secret=SECRET)], "given together, or neither"),
        ([sink("s3", every="2h")], "at most 1h"),
        ([sink("s3", lock={"period": "1ms"})], "more than nothing"),
    ],
)
def test_what_would_leak_or_could_not_work_is_refused(folder: Path, given: list[object], words: str) -> None:
    (found,) = told(folder, changed("evidence.sinks", given))
    assert words in found


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (sink("syslog", url="udp://127.0.0.1"), "lost in silence"),
        (sink("syslog", event_bytes="64KiB"), "cut messages at 8KiB"),
        ({"type": "http", "name": "one", "url": "https://siem.example"}, "no secret"),
    ],
)
def test_what_only_weakens_a_sink_is_a_warning(folder: Path, given: object, words: str) -> None:
    (warning,) = warned(folder, changed("evidence.sinks", [given]))
    assert words in warning


def test_private_and_loopback_addresses_are_fine(folder: Path) -> None:
    urls = [
        "https://192.168.1.1",
        "https://[fd00::1]:9000",
        "http://127.0.0.1:1",
        "http://localhost:1/x",
        "http://[::1]",
    ]
    sinks = [{**sink("http", url=url), "name": f"n{number}"} for number, url in enumerate(urls)]
    assert told(folder, changed("evidence.sinks", sinks)) == []


def test_an_extra_that_is_missing_is_named_with_the_command_that_brings_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing: list[str] = []
    monkeypatch.setattr(sink_checks, "find_spec", missing.append)
    found = told(folder, changed("evidence.sinks", [sink("s3", objects="parquet"), {**sink("otlp"), "name": "two"}]))
    for extra in ("s3", "history", "otlp"):
        assert any(f"pip install 'querywarden[{extra}]'" in each for each in found), extra
    assert missing == ["minio", "duckdb", "opentelemetry.proto"]
    assert len(found) == 3
