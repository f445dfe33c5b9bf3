"""The published schema takes what `check` takes, and refuses what it refuses, as far as one setting goes."""

import json
from copy import deepcopy
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.config.conform import misfits
from gateway.config.load import hook_for
from gateway.config.reference import EXAMPLE
from gateway.config.schema import schema_text
from gateway.config.settings import Settings
from tests.config.schemas import accepts
from tests.config.world import GOOD, changed

SCHEMA = json.loads(schema_text())
HOOK = hook_for(Path("/etc/querywarden"))
FULL = """\
version: 1
data_dir: var
listeners:
  postgres:
    - {address: "127.0.0.1:6432", tls: {cert: server.pem, key: server.key}}
    - {address: "[::1]:0", insecure_loopback: true}
  http: {address: "127.0.0.1:6480"}
identity:
  skew: 30s
  issuers:
    - issuer: "https://idp.test"
      audience: [querywarden]
      jwks_uri: "https://idp.test/k"
      jwks_ca: ca.pem
      algorithms: [ES256]
      claims: {subject: sub, groups: groups, on_behalf_of: act, keep: [team]}
policy:
  bundle: bundle.tar.gz
  engine: embedded
  opa: {url: "http://127.0.0.1:8181", timeout: 250ms}
  verification_keys: [policy.pub]
  shadow: null
connections:
  payments:
    type: postgres
    host: 127.0.0.1
    port: 5432
    database: payments
    user: gateway_app
    password: {command: [pass, payments]}
    tls: {mode: require}
    search_path: [public]
    labels: {environment: production}
    limits: {idle_timeout: 15m, session_max: 8h, message_max: 16777216, pool_max: 200}
    protocol: "3.2"
    notices: "off"
approvals: {hold: 60s, notify: [{webhook: "https://hooks.test", secret: {env: HOOK}}]}
evidence:
  durability: each
  recording: {content: shape, recipients: []}
  checkpoint_interval: 1s
  witnesses: [{url: "https://witness.test/w", key: "w+9b0f3d5c+BA==", timeout: 2s, ca: w.pem}]
  witness_interval: 30s
  publish: {token: {env: READER}}
  sinks:
    - {type: file, name: copy, path: x.jsonl, rotate: 64MiB, format: raw, bodies: true, start: now}
    - {type: syslog, name: siem, url: "tls://siem.test", tls: {ca: ca.pem, cert: c.pem, key: c.key}, facility: 4}
    - {type: otlp, name: otel, url: "https://otel.test/v1/logs", secret: {file: s}, timeout: 5s}
    - {type: splunk_hec, name: splunk, url: "https://hec.test", secret: {env: HEC}, acknowledge: false}
    - {type: http, name: hook, url: "https://hook.test", batch_events: 10, batch_bytes: 65536}
    - {type: s3, name: vault, url: "s3://b", objects: parquet, lock: {mode: governance, period: 1d}, ca: null}
  retention: {hot: 92d, total: 400d}
stores: {state: "sqlite:///var/state.db", objects: "s3://bucket"}
"""


def places(value: object, path: str = "") -> list[str]:
    here = [path.removeprefix(".")] if path else []
    match value:
        case dict():
            return here + [each for key, inner in value.items() for each in places(inner, f"{path}.{key}")]
        case list():
            return here + [each for index, inner in enumerate(value) for each in places(inner, f"{path}.{index}")]
    return here


def agreed(document: object) -> bool:
    """What both say; fails when they do not say the same."""
    found = list(misfits(document, Settings, (), HOOK))
    taken = accepts(SCHEMA, document)
    assert taken == (not found), found
    return taken


@pytest.mark.parametrize("text", [GOOD, FULL, EXAMPLE.removeprefix("```yaml\n").removesuffix("```\n")])
def test_what_is_right_is_taken_by_both(text: str) -> None:
    assert agreed(yaml.safe_load(text))


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("version", 2),
        ("version", "1"),
        ("surprise", 1),
        ("listeners.postgres.address", "nowhere"),
        ("listeners.postgres.address", "h:65536"),
        ("listeners.postgres", []),
        ("identity.issuers", []),
        ("identity.issuers.0.algorithms", ["none"]),
        ("identity.skew", 30),
        ("connections", {}),
        ("connections.payments.password", "hunter2"),
        ("connections.payments.password", {"env": "A", "file": "b"}),
        ("connections.payments.password", {}),
        ("connections.payments.password", {"env": None}),
        ("connections.payments.password", {"env": "A", "file": None}),
        ("connections.payments.port", 0),
        ("connections.payments.limits.message_max", -1),
        ("connections.payments.limits.message_max", "16M"),
        ("stores.state", "sqlite://var/x"),
        ("stores.state", "sqlite:///"),
        ("evidence.sinks", [{"type": "file", "name": "a"}]),
        ("evidence.sinks", [{"type": "syslog", "name": "a", "path": "x"}]),
        ("evidence.sinks", [{"name": "a", "path": "x"}]),
        ("evidence.sinks", [{"type": "disk", "name": "a", "path": "x"}]),
        ("evidence.sinks", [{"type": None, "name": "a", "path": "x"}]),
    ],
)
def test_what_is_wrong_is_refused_by_both(where: str, value: object) -> None:
    document = yaml.safe_load(changed(where, value))
    if where == "listeners.postgres":
        assert accepts(SCHEMA, document)  # an empty list serves nothing, which is a check's business
        return
    assert not agreed(document)


values = (
    st.none()
    | st.booleans()
    | st.integers(-2, 70_000)
    | st.sampled_from(
        ["", "x", "15m", "16MiB", "127.0.0.1:1", "sqlite:///x", "postgres", "full", "ES256", "a\nb", "x\n"]
    )
    | st.sampled_from([[], {}, [""], ["x"], {"env": "X"}, {"x": "y"}, {"A b": {}}, [[]]])
)


@settings(max_examples=300)
@given(changes=st.lists(st.tuples(st.sampled_from(places(yaml.safe_load(FULL))), values), min_size=1, max_size=3))
def test_schema_and_check_agree_about_any_change(changes: list[tuple[str, object]]) -> None:
    document = yaml.safe_load(FULL)
    for where, value in changes:
        put(document, where, value)
    agreed(document)


def put(document: object, where: str, value: object) -> None:
    """Put a value in; a place that an earlier change took away is passed over."""
    *path, last = where.split(".")
    inner = document
    for part in path:
        match inner:
            case dict() if part in inner:
                inner = inner[part]
            case list() if part.isdecimal() and int(part) < len(inner):
                inner = inner[int(part)]
            case _:
                return
    match inner:
        case dict():
            inner[last] = deepcopy(value)
        case list() if last.isdecimal() and int(last) < len(inner):
            inner[int(last)] = deepcopy(value)


def test_every_setting_is_described() -> None:
    silent = [
        f"{name}.{key}"
        for name, definition in SCHEMA["$defs"].items()
        for key, setting in definition["properties"].items()
        if not setting.get("description")
    ]
    assert silent == []
