"""Site data is read whole, or every mistake in it is named with its file and line."""

from pathlib import Path

import pytest

from gateway.core.errors import ConfigError
from gateway.policy import read_site as module
from gateway.policy.read_site import read_site
from gateway.policy.site import WEEK

EXAMPLE = """\
grants:
  - {groups: [agents],  connections: [payments], relations: ["public.*"], actions: [select, copy_out, explain]}
  - {groups: [writers], connections: [payments], relations: ["public.*"], actions: [select, insert, update, delete]}
masks: {pan: last4, cvv: "null"}
clear:
  - {groups: [pan-readers], connections: [payments], labels: [pan], reason_required: true}
approvals:
  - {connections: [payments], actions: [update, delete], without_where: true, approvers: {any_of: [dba], min: 1}}
  - {connections: [payments], labels: [pan], clear: true, approvers: {all_of: [dba, security]}, ttl: 5m}
deny:
  - {actions: [drop, truncate, grant], connections: ["*"]}
  - {pattern: "(?i)\\\\bpg_terminate_backend\\\\b", connections: ["*"]}
filters:
  - {groups: [eu-agents], connections: [payments], relation: public.customers, sql: "country = 'DE'"}
limits:
  - {groups: [agents], rows: 10000, seconds: 30, rows_by_label: {pan: 100}, window: 1h}
functions: {allow: []}
scan_exempt: [{connection: payments, relation: public.orders, columns: [order_no]}]
triggers: {allow: []}
write_masked: false
posture: {payments: guarded}
"""
CLASSIFICATION = "payments:\n  public.cards: {pan: [pan], cvv: [cvv]}\n"
DEMO = Path(__file__).resolve().parents[2] / "bundles" / "demo" / "site"


def folder_with(tmp_path: Path, access: str | None = EXAMPLE, classification: str | None = CLASSIFICATION) -> Path:
    for name, text in (("access", access), ("classification", classification)):
        if text is not None:
            (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    return tmp_path


def complaints(folder: Path) -> list[str]:
    """`file:line: sentence`, the folder left out."""
    with pytest.raises(ConfigError) as caught:
        read_site(folder)
    return [line.removeprefix(f"{folder}/") for line in caught.value.detail.splitlines()]


def test_the_example_of_the_contract_is_read(tmp_path: Path) -> None:
    site = read_site(folder_with(tmp_path))
    assert [grant.groups for grant in site.grants] == [("agents",), ("writers",)]
    assert site.masks == {"pan": "last4", "cvv": "null"}
    assert site.clear[0].reason_required
    first, second = site.approvals
    assert (first.without_where, first.demand.any_of, first.demand.min, first.demand.ttl) == (True, ("dba",), 1, 300)
    assert (second.clear, second.demand.all_of, second.demand.ttl) == (True, ("dba", "security"), 300)
    assert site.deny[1].pattern == r"(?i)\bpg_terminate_backend\b"
    assert (site.limits[0].rows, site.limits[0].window) == (10000, 3600)
    assert site.scan_exempt[0].columns == ("order_no",)
    assert site.classification["payments"]["public.cards"] == {"pan": ("pan",), "cvv": ("cvv",)}


def test_the_demos_site_data_is_read() -> None:
    site = read_site(DEMO)
    assert site.masks == {"pan": "last4", "cvv": "null"}
    assert site.clear[0].groups == ("pan-readers",)


def test_a_classification_may_be_missing_and_the_access_may_not(tmp_path: Path) -> None:
    assert read_site(folder_with(tmp_path, "grants: []\n", None)).classification == {}
    (tmp_path / "access.yaml").unlink()
    assert complaints(tmp_path) == ["access.yaml:1: the file is missing, so nothing would be granted"]


def test_an_empty_file_grants_nothing(tmp_path: Path) -> None:
    assert read_site(folder_with(tmp_path, "", "")).grants == ()


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such folder"):
        read_site(tmp_path / "nowhere")


def test_a_file_that_would_not_be_read_is_a_mistake(tmp_path: Path) -> None:
    folder_with(tmp_path)
    (tmp_path / "masks.yml").touch()
    assert complaints(tmp_path) == [
        "masks.yml:1: site data stands in classification.yaml and access.yaml; this file would not be read"
    ]


def test_every_mistake_is_named_at_once_with_its_line(tmp_path: Path) -> None:
    access = """\
grants:
  - {groups: [a], connections: [c], relations: ["*"], actions: [select]}
  - {groups: [a], connections: [c], relations: ["*"]}
  - groups: [a]
    connections: [c]
    relations: [cards]
    actions: [select]
mask: {pan: last4}
masks: {pan: last5}
limits:
  - {groups: [a], rows: many}
  - {groups: [a], rows: 5, window: soon}
approvals:
  - {approvers: {any_off: [dba]}}
"""
    found = complaints(folder_with(tmp_path, access, "payments:\n  cards: {pan: [pan]}\n"))
    places = sorted(line.split(": ")[0] for line in found)
    assert places == [
        "access.yaml:11",
        "access.yaml:12",
        "access.yaml:14",
        "access.yaml:3",
        "access.yaml:6",
        "access.yaml:8",
        "access.yaml:9",
        "classification.yaml:1",
    ]


def test_a_contradiction_has_a_line_too(tmp_path: Path) -> None:
    grant = "  - {groups: [a], connections: [c], relations: ['*'],\n     actions: [selekt]}\n"
    access = f"masks:\n  pan: last4\n  cvv: last4\ngrants:\n{grant}"
    assert [line.split(": ")[0] for line in complaints(folder_with(tmp_path, access))] == [
        "access.yaml:3",
        "access.yaml:6",
    ]


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("grants: [\n", 2, "expected"),
        ("masks: {pan: last4}\nmasks: {pan: last4}\n", 2, "twice"),
        ("masks: {pan: last4, pan: fixed}\n", 1, "twice"),
        ("masks: &a {pan: last4}\nposture: *a\n", 2, "aliases"),
        ("masks: !!python/object:os.system {}\n", 1, "python"),
        ("[]\n", 1, "mapping"),
        ("? [a]\n: 1\n", 1, "word"),
        ("posture: {c: open}\n---\nposture: {}\n", 2, "document"),
        ("classification: {}\n", 1, "no section"),
    ],
)
def test_what_is_not_plain_yaml_is_refused(text: str, line: int, word: str, tmp_path: Path) -> None:
    found = complaints(folder_with(tmp_path, text))
    assert any(each.startswith(f"access.yaml:{line}: ") and word in each for each in found), found


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (folder_with(tmp_path) / "access.yaml").write_bytes(b"masks: {pan: \xff\xfe}\n")
    assert complaints(tmp_path)[0].startswith("access.yaml:1: ")


def test_yaml_nested_without_end_is_refused(tmp_path: Path) -> None:
    assert complaints(folder_with(tmp_path, "a: " + "[" * 5000)) != []


def test_a_file_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", 10)
    assert "larger than 10 bytes" in complaints(folder_with(tmp_path))[0]


@pytest.mark.parametrize(("text", "seconds"), [("30s", 30), ("5m", 300), ("8h", 28800), ("7d", 604800), ("60", 60)])
def test_durations_are_words_or_seconds(text: str, seconds: int, tmp_path: Path) -> None:
    access = f"limits: [{{rows: 1, window: {text}}}]\napprovals: [{{approvers: {{any_of: [a]}}, ttl: {text}}}]\n"
    site = read_site(folder_with(tmp_path, access))
    assert (site.limits[0].window, site.approvals[0].demand.ttl) == (seconds, seconds)


def test_hours_are_written_as_people_write_them(tmp_path: Path) -> None:
    access = """\
hours:
  - {groups: [agents], days: [mon, fri], from: 08:00, to: 18:00, utc_offset: "+01:00"}
  - {from: "22:30", to: "06:00", utc_offset: -05:30}
  - {to: "24:00"}
"""
    first, second, third = read_site(folder_with(tmp_path, access)).hours
    assert (first.days, first.from_, first.to, first.utc_offset) == (("mon", "fri"), 480, 1080, 60)
    assert (second.from_, second.to, second.utc_offset) == (1350, 360, -330)
    assert (third.from_, third.to, third.utc_offset, third.days) == (0, 1440, 0, WEEK)


def test_an_exception_ends_at_a_moment_in_utc(tmp_path: Path) -> None:
    access = """\
interactive_exceptions:
  - {subjects: [svc-a], until: 2026-12-01T18:30:00+01:00, ticket: CHG-1, approved_by: ciso}
"""
    assert read_site(folder_with(tmp_path, access)).interactive_exceptions[0].until == "2026-12-01T17:30:00Z"


@pytest.mark.parametrize(
    ("access", "said"),
    [
        ("hours: [{from: 24:01}]", 'from is a time like "08:00" or "24:00"'),
        ("hours: [{to: noon}]", 'to is a time like "08:00" or "24:00"'),
        ("hours: [{from: 8:00}]", 'from is a time like "08:00" or "24:00"'),
        ('hours: [{utc_offset: "1"}]', 'utc_offset is like "+01:00" or "-05:30"'),
        ("hours: [{utc_offset: CET}]", 'utc_offset is like "+01:00" or "-05:30"'),
        ("interactive_exceptions: [{until: 2026-12-01}]", "until is like 2026-12-01T18:00:00Z"),
        ("interactive_exceptions: [{until: 2026-12-01T18:00:00}]", "until is like 2026-12-01T18:00:00Z"),
        ("interactive_exceptions: [{until: soon}]", "until is like 2026-12-01T18:00:00Z"),
    ],
)
def test_a_time_that_is_none_is_named_with_its_line(access: str, said: str, tmp_path: Path) -> None:
    assert f"access.yaml:2: {said}" in complaints(folder_with(tmp_path, f"grants: []\n{access}\n"))


@pytest.mark.parametrize(
    ("access", "said"),
    [
        ("hour: []", "there is no section hour; did you mean hours?"),
        ("zebra: []", "there is no section zebra"),
        ("hours: [{day: [mon]}]", "Object contains unknown field `day`; did you mean days?"),
        ("hours: [{form: 08:00}]", "Object contains unknown field `form`; did you mean from?"),
        ("hours: [{zebra: 1}]", "Object contains unknown field `zebra`"),
        ("hours: [{days: [mo]}]", "Invalid enum value 'mo'; did you mean mon?"),
        ("masks: {pan: lats4}", "Invalid enum value 'lats4'; did you mean last4?"),
        ("functions: {alow: []}", "Object contains unknown field `alow`"),
        ("approvals: [{approvers: {any_off: [dba]}}]", "Object contains unknown field `any_off`; did you mean any_of?"),
        ("deny: [{actions: [trunkate]}]", "no such action: trunkate; did you mean truncate?"),
    ],
)
def test_what_nobody_knows_is_guessed_at(access: str, said: str, tmp_path: Path) -> None:
    assert complaints(folder_with(tmp_path, f"grants: []\n{access}\n")) == [f"access.yaml:2: {said}"]
