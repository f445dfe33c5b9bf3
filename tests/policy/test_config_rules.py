"""The rules about gateway.yaml, as conftest runs them."""

import json
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GOOD = """\
version: 1
listeners:
  postgres: {address: "0.0.0.0:6432", tls: {cert: c.pem, key: k.pem}}
identity:
  issuers: [{issuer: "https://idp.example", audience: [querywarden]}]
policy: {bundle: b.tar.gz, verification_keys: [policy.pub]}
connections:
  payments: {host: db, password: {env: PASSWORD}, tls: {mode: verify-full, ca: ca.pem}}
evidence: {witnesses: [{url: "https://witness.example", key: "w.example+3a1b2c4d+BA=="}]}
"""


def conftest(path: Path) -> tuple[int, list[str]]:
    """Exit code, and what is said."""
    command = [str(ROOT / "tools/bin/conftest"), "test", "--policy", str(ROOT / "policies/config"), "--output", "json"]
    result = subprocess.run([*command, str(path)], capture_output=True, check=False)
    return result.returncode, [each["msg"] for file in json.loads(result.stdout) for each in file.get("failures") or []]


def test_a_file_fit_for_production_passes(tmp_path: Path) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_text(GOOD)
    assert conftest(path) == (0, [])


def test_conftest_names_each_setting_that_is_not(tmp_path: Path) -> None:
    path = tmp_path / "gateway.yaml"
    path.write_text(
        GOOD.replace("verify-full", "require").replace("{env: PASSWORD}", "hunter2").replace("[policy.pub]", "[]")
    )
    code, said = conftest(path)
    assert code == 1
    assert {line.partition(":")[0] for line in said} == {
        "connections.payments.tls", "connections.payments.password", "policy.verification_keys",
    }  # fmt: skip
    assert "hunter2" not in " ".join(said)
