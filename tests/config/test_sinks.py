"""Every kind of sink is read as its own kind, with defaults of its own, and refused where another's key stands."""

from pathlib import Path

import pytest

from gateway.config import sinks as k
from gateway.config.load import load
from tests.config.world import changed, told

KINDS: list[tuple[dict[str, object], type]] = [
    ({"type": "file", "path": "events.jsonl"}, k.FileSink),
    ({"type": "syslog", "url": "tls://siem.example:6514"}, k.SyslogSink),
    ({"type": "otlp", "url": "https://collector.example/v1/logs"}, k.OtlpSink),
    ({"type": "splunk_hec", "url": "https://splunk.example:8088", "secret": {"env": "HEC"}}, k.SplunkSink),
    ({"type": "http", "url": "https://10.1.2.3/hook", "secret": {"env": "HOOK"}}, k.HttpSink),
    ({"type": "s3", "url": "s3://evidence/pci", "objects": "parquet"}, k.S3Sink),
]


@pytest.mark.parametrize(("written", "kind"), KINDS)
def test_each_kind_is_read_as_what_it_says(folder: Path, written: dict[str, object], kind: type) -> None:
    text = changed("evidence.sinks", [{"name": "one", **written}])
    assert told(folder, text) == []
    (sink,) = load(folder / "gateway.yaml").evidence.sinks
    assert type(sink) is kind
    assert (sink.format, sink.bodies, sink.start) == ("ocsf", False, "beginning")


@pytest.mark.parametrize(
    ("sink", "words"),
    [
        ({"type": "fil", "name": "a"}, "did you mean file?"),
        ({"name": "a", "path": "x"}, "type is missing"),
        ({"type": "file", "name": "a"}, "path is missing"),
        ({"type": "file", "name": "a", "path": "x", "url": "https://x"}, "unknown key url"),
        ({"type": "file", "name": "No Name", "path": "x"}, "name"),
        ({"type": "splunk_hec", "name": "a", "url": "https://x", "secret": "hunter2"}, "never in the file itself"),
        ({"type": ["file"], "name": "a"}, "expected file or syslog"),
        ("file", "expected a mapping"),
    ],
)
def test_what_is_no_sink_is_refused_at_its_line(folder: Path, sink: object, words: str) -> None:
    (found,) = told(folder, changed("evidence.sinks", [sink]))
    assert words in found
    assert "evidence.sinks[0]" in found
    assert "hunter2" not in found


def test_a_certificate_is_shown_only_with_its_key(tmp_path: Path) -> None:
    assert k.SinkTls(cert=tmp_path).shown is None
    assert k.SinkTls(cert=tmp_path, key=tmp_path).shown == (tmp_path, tmp_path)
