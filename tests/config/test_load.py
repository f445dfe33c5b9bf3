"""A file becomes settings, or every finding at once with file and line; nothing in between."""

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.config.document import MAX_BYTES
from gateway.config.load import examine, hook_for, load
from gateway.config.quantities import Address, Duration, Location, Size
from gateway.core.errors import ConfigError
from tests.config.world import GOOD, changed, read, told

SHOWN = {"issuer", "cert", "key", "ca", "jwks_file", "jwks_ca", "bundle", "verification_keys", "file", "data_dir"}
"""settings whose value a message may repeat: names of files and issuers, so that the operator finds them"""


def test_a_right_file_becomes_settings_with_paths_taken_from_its_folder(folder: Path) -> None:
    result = read(folder, GOOD)
    assert (result.findings, result.warnings) == ((), ())
    found = result.settings
    assert found is not None
    assert found.data_dir == folder / "var"
    assert found.policy.bundle.path == folder / "bundle.tar.gz"
    assert found.policy.verification_keys == (folder / "policy.pub",)
    (listener,) = found.listeners.for_postgres
    assert listener.tls is not None
    assert listener.tls.cert == folder / "server.pem"
    assert found.connections["payments"].limits.message_max == 16 << 20


def test_every_finding_is_told_at_once_in_the_order_of_lines(folder: Path) -> None:
    text = (
        GOOD.replace("version: 1", "version: 2")
        .replace("127.0.0.1:6432", "nowhere")
        .replace("audience: [querywarden]", "audience: []")
        .replace("policy.pub", "missing.pub")
        .replace("type: postgres", "type: postgre")
        .replace("verify-full", "verify")
    )
    found = told(folder, text + "surprise: 1\n")
    assert [line.partition(":")[0] for line in found] == ["1", "3", "7", "11", "14", "19", "20"]
    for line, words in zip(
        found,
        [
            "version: expected 1",
            "not an address",
            "at least one",
            "missing.pub",
            "did you mean postgres?",
            "did you mean verify-full?",
            "unknown key surprise",
        ],
        strict=True,
    ):
        assert words in line


def test_load_raises_all_of_them(folder: Path) -> None:
    (folder / "bad.yaml").write_text("version: 2\nsurprise: 1\n")
    with pytest.raises(ConfigError) as caught:
        load(folder / "bad.yaml")
    assert caught.value.code == "config.invalid"
    assert "bad.yaml:1: version" in caught.value.detail
    assert "bad.yaml:2: surprise: unknown key surprise" in caught.value.detail


def test_a_missing_section_is_told_by_name(folder: Path) -> None:
    found = told(folder, "version: 1\n")
    assert found == [f"1: {name} is missing" for name in ("connections", "identity", "listeners", "policy")]


def test_an_unknown_key_is_refused_at_its_line_with_what_was_meant(folder: Path) -> None:
    assert told(folder, GOOD + "    pasword: {env: X}\n") == [
        "20: connections.payments.pasword: unknown key pasword; did you mean password?"
    ]
    ((line),) = told(folder, GOOD.replace("{mode: verify-full,", "{zzz: 1,"))
    assert line.startswith("19: connections.payments.tls.zzz: unknown key zzz; known here: mode, ca")


def test_a_yaml_error_is_told_alone(folder: Path) -> None:
    (line,) = told(folder, "version: 1\nlisteners: {\n")
    assert line.startswith("3: not YAML")


@pytest.mark.parametrize("text", ["", "[]", "text", "~", "1"])
def test_what_is_no_mapping_is_refused(folder: Path, text: str) -> None:
    (line,) = told(folder, text)
    assert line.startswith("1: expected a mapping, found ")


def test_one_wrong_section_does_not_hide_the_checks_of_another(folder: Path) -> None:
    text = GOOD.replace("version: 1", "version: one").replace("jwks.json", "nothing.json")
    assert len(told(folder, text)) == 2


def test_a_secret_in_the_file_is_refused_and_not_repeated(folder: Path) -> None:
    found = told(folder, GOOD.replace("{env: PAYMENTS_PASSWORD}", "hunter2-hunter2"))
    assert len(found) == 1
    assert "{env: NAME}, {file: path} or {command: [program, …]}" in found[0]
    assert "hunter2" not in found[0]


@pytest.mark.parametrize("written", ["{env: A, file: b}", "{}", "{value: x}", "[a]", "{env: ''}", "{command: []}"])
def test_a_secret_is_exactly_one_reference(folder: Path, written: str) -> None:
    assert told(folder, GOOD.replace("{env: PAYMENTS_PASSWORD}", written))


def leaves(value: object, path: str = "") -> list[str]:
    match value:
        case dict():
            return [leaf for key, inner in value.items() for leaf in leaves(inner, f"{path}.{key}")]
        case list():
            return [leaf for index, inner in enumerate(value) for leaf in leaves(inner, f"{path}.{index}")]
    return [path.removeprefix(".")]


ALL = [*leaves(yaml.safe_load(GOOD)), "data_dir", "evidence.durability", "evidence.retention.hot", "stores.state"]
MARK = "hunter2-in-the-wrong-place"


@pytest.mark.parametrize("where", [each for each in ALL if not SHOWN & set(each.split("."))])
@pytest.mark.parametrize("shape", [MARK, [MARK], [[MARK]], {"x": MARK}])
def test_no_message_repeats_a_value(folder: Path, where: str, shape: object) -> None:
    result = read(folder, changed(where, shape))
    assert MARK not in "\n".join([*result.findings, *result.warnings])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    where=st.sampled_from(ALL),
    value=st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20)
    | st.sampled_from(["~nobody-there/x", "/", ".", "https://", "a" * 5000])
    | st.lists(st.integers(), max_size=2)
    | st.dictionaries(st.text("ab\n\x1b", max_size=3), st.integers(), max_size=2),
)
def test_any_value_anywhere_ends_in_settings_or_in_findings(folder: Path, where: str, value: object) -> None:
    result = read(folder, changed(where, value))
    assert (result.settings is None) == bool(result.findings)
    for finding in result.findings:
        assert finding.removeprefix(f"{folder / 'gateway.yaml'}:").partition(":")[0].isdecimal()
        assert "\n" not in finding
        assert "\x1b" not in finding


def test_variables_are_not_expanded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_USER", "somebody")
    result = read(folder, changed("connections.payments.user", "${DB_USER}"))
    assert result.settings is not None
    assert result.settings.connections["payments"].user == "${DB_USER}"


def test_no_secret_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYMENTS_PASSWORD", MARK)
    result = read(folder, GOOD)
    assert MARK not in repr(result)


def test_a_file_that_is_no_text_too_large_or_not_there_is_one_finding(tmp_path: Path) -> None:
    path = tmp_path / "gateway.yaml"
    assert examine(path).findings == (f"{path}:1: No such file or directory",)
    assert examine(tmp_path).findings == (f"{tmp_path}:1: Is a directory",)
    path.write_bytes(b"version: \xff")
    assert examine(path).findings == (f"{path}:1: not UTF-8 text",)
    path.write_bytes(b"#" * (MAX_BYTES + 1))
    assert examine(path).findings == (f"{path}:1: larger than 1 MiB",)


def test_aliases_say_a_thing_once(folder: Path) -> None:
    text = GOOD.replace("  payments:\n", "  payments: &p\n") + "  archive: {<<: *p, database: archive}\n"
    found = read(folder, text).settings
    assert found is not None
    assert found.connections["archive"].user == "gateway_app"
    assert found.connections["archive"].database == "archive"


def test_our_own_types_are_read_from_text(tmp_path: Path) -> None:
    hook = hook_for(tmp_path)
    assert hook(Duration, "15m") == 900
    assert hook(Size, 4096) == 4096
    assert hook(Address, "[::1]:1") == "[::1]:1"
    assert hook(Location, "b") == str(tmp_path / "b")
    assert hook(Path, "a") == tmp_path / "a"
    for kind, value in ((Duration, 15), (Size, True), (Size, -1), (Path, ""), (Path, "a\0"), (Location, None)):
        with pytest.raises(ValueError, match=r"."):
            hook(kind, value)
