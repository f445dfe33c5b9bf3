"""The real opa compiles what we bundle, believes what we sign, and signs what we believe."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.core.errors import BundleRejected, ConfigError, Unavailable
from gateway.policy import compiler
from gateway.policy.archive import read_archive, write_archive
from gateway.policy.build import base_of, signed, with_site
from gateway.policy.bundle import DATA, WASM, Bundle, open_bundle
from gateway.policy.compiler import Opa, compile_policy, stage
from gateway.policy.digests import MANIFEST, SIGNATURES
from gateway.policy.keys import SigningKey, public_pem, signing_key
from gateway.policy.signature import token_of, written
from gateway.policy.site import Grant, Site
from tests.support.bundle import reference_files
from tools.bundles import stale

ROOT = Path(__file__).resolve().parents[2]
ODD = 'line\u2028 "quoted" \\ <b>&amp;</b> \t\x7f ключ'
SITE = Site(
    grants=(Grant(groups=(ODD,), connections=("*",), relations=("*",), actions=("*",)),), masks={"pan": "last4"}
)


class Signer:
    """A key pair as files."""

    def __init__(self, folder: Path, algorithm: str) -> None:
        made = (
            rsa.generate_private_key(65537, 2048)
            if algorithm == "RS256"
            else ec.generate_private_key(ec.SECP256R1())
        )  # fmt: skip
        pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self.algorithm = algorithm
        self.key: SigningKey = signing_key(pem, keyid="acme")
        self.private, self.public = folder / "key.pem", folder / "key.pub"
        self.private.write_bytes(pem)
        self.public.write_bytes(public_pem(self.key.public))

    @property
    def verification(self) -> tuple[str, ...]:
        """Options of opa that make it verify with this key."""
        named = ("--verification-key", str(self.public), "--verification-key-id", "acme")
        return (*named, "--signing-alg", self.algorithm)


@pytest.fixture(params=["RS256", "ES256"])
def signer(request: pytest.FixtureRequest, tmp_path: Path) -> Signer:
    return Signer(tmp_path, request.param)


def unpack(folder: Path, files: Mapping[str, bytes]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def opened(raw: bytes, signer: Signer) -> Bundle:
    return open_bundle(raw, [signer.key.public], 1_800_000_000)


def test_opa_verifies_what_we_sign(signer: Signer, tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.tar.gz"
    bundle.write_bytes(signed(with_site(reference_files(), SITE), signer.key))
    asked = subprocess.run(
        [Opa.find().program, "run", *signer.verification, "-b", bundle, "-f", "json"],
        input="data.site.grants[0].groups[0]\n", capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    answer = json.loads(asked.stdout[asked.stdout.index("{") :])  # behind the banner
    assert answer["result"][0]["expressions"][0]["value"] == ODD


@pytest.mark.parametrize("name", [MANIFEST, DATA, WASM, "site/data.json", "gateway/main/main.rego"])
def test_opa_refuses_what_we_would_refuse(name: str, tmp_path: Path) -> None:
    signer = Signer(tmp_path, "ES256")
    files = read_archive(signed(with_site(reference_files(), SITE), signer.key))
    changed = files[name].replace(b"a", b"b", 1)
    bundle = tmp_path / "bundle.tar.gz"
    bundle.write_bytes(write_archive({**files, name: changed}))
    answer = Opa.find().run("build", *signer.verification, "-b", bundle, "-o", tmp_path / "out.tar.gz")
    assert answer.code != 0
    with pytest.raises(BundleRejected):
        opened(bundle.read_bytes(), signer)


def test_we_verify_what_opa_signs(signer: Signer, tmp_path: Path) -> None:
    files = with_site(reference_files(), SITE)
    tree = unpack(tmp_path / "tree", files)
    (tmp_path / "claims.json").write_text('{"keyid": "acme", "sequence": 4, "not_before": 5}')
    Opa.find().must(
        "sign", "--signing-key", signer.private, "--signing-alg", signer.algorithm, "--bundle", ".",
        "--claims-file", tmp_path / "claims.json", "-o", tmp_path, cwd=tree,
    )  # fmt: skip
    token = token_of((tmp_path / SIGNATURES).read_bytes())
    bundle = opened(write_archive({**files, SIGNATURES: written(token)}), signer)
    assert (bundle.keyid, bundle.sequence, bundle.not_before, bundle.site) == ("acme", 4, 5, SITE)


def test_what_is_committed_is_what_the_tree_builds() -> None:
    assert sorted(stale()) == [], "run: python -m tools.bundles"


def test_two_builds_are_byte_for_byte_equal_wherever_they_are_made(tmp_path: Path) -> None:
    stage(ROOT / "policies", tmp_path)
    (tmp_path / "capabilities.json").write_bytes((ROOT / "policies" / "capabilities.json").read_bytes())
    here, there = (compile_policy(Opa.find(), folder) for folder in (ROOT / "policies", tmp_path))
    assert write_archive(base_of(here, "r")) == write_archive(base_of(there, "r"))
    assert all(here.files[rule.file].decode().splitlines()[rule.line - 1] for rule in here.rules)


def test_the_line_of_a_rule_is_where_it_begins() -> None:
    compiled = compile_policy(Opa.find(), ROOT / "policies")
    begins = {rule.code: compiled.files[rule.file].decode().splitlines()[rule.line - 1] for rule in compiled.rules}
    assert all(line.startswith(("effects contains", "decision := ")) for line in begins.values()), begins


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    folder = tmp_path / "policies"
    rego = "package gateway.main\n\n# METADATA\n# entrypoint: true\ndecision := input.action.name\n"
    unpack(folder, {MANIFEST: b'{"roots":["gateway","site"]}', "gateway/main/main.rego": rego.encode()})
    (folder / "capabilities.json").write_bytes((ROOT / "policies" / "capabilities.json").read_bytes())
    (folder / "gateway" / "data.json").write_text('{"list": {"b": 1, "a": "\\u00e9"}}')
    return folder


def test_data_beside_the_rules_becomes_part_of_the_bundle_in_canonical_form(policy: Path) -> None:
    compiled = compile_policy(Opa.find(), policy)
    assert compiled.files[DATA] == '{"gateway":{"list":{"a":"é","b":1}}}'.encode()
    assert (compiled.reads, compiled.rules) == (("action.name",), ())


@pytest.mark.parametrize(
    "text",
    [
        "package gateway.main\n\ndecision := \n",
        'package gateway.main\n\n# METADATA\n# entrypoint: true\ndecision := http.send({"url": input.spec})\n',
        "package gateway.main\n\n# METADATA\n# entrypoint: true\ndecision := time.now_ns()\n",
    ],
)
def test_rego_that_is_wrong_or_not_deterministic_ends_the_build_with_opas_words(policy: Path, text: str) -> None:
    (policy / "gateway" / "main" / "main.rego").write_text(text)
    with pytest.raises(ConfigError, match=r"main\.rego:\d+"):
        compile_policy(Opa.find(), policy)


def test_a_link_among_the_rules_ends_the_build(policy: Path) -> None:
    (policy / "gateway" / "link.rego").symlink_to(policy / "gateway" / "main" / "main.rego")
    with pytest.raises(BundleRejected, match="is a link"):
        compile_policy(Opa.find(), policy)


def test_a_folder_without_rules_is_no_policy(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no policy here"):
        stage(tmp_path, tmp_path / "stage")


def test_opa_is_the_one_that_is_named_else_on_the_path_else_built_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("named", "bin/opa", "tools/bin/opa"):
        unpack(tmp_path, {name: b"#!/bin/sh\n"})
        (tmp_path / name).chmod(0o700)
    monkeypatch.setattr(compiler, "_CHECKOUT", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    monkeypatch.delenv("OPA", raising=False)
    assert Opa.find().program == tmp_path / "tools" / "bin" / "opa"
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert Opa.find().program == tmp_path / "bin" / "opa"
    monkeypatch.setenv("OPA", str(tmp_path / "named"))
    assert Opa.find().program == tmp_path / "named"
    monkeypatch.setenv("OPA", str(tmp_path / "gone"))
    with pytest.raises(Unavailable, match="gone"):
        Opa.find()


def test_without_opa_one_learns_where_it_was_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiler, "_CHECKOUT", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("OPA", raising=False)
    with pytest.raises(Unavailable, match=r"tools/build\.sh"):
        Opa.find()


def test_an_opa_that_cannot_be_started_or_does_not_end_is_not_available(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = tmp_path / "slow"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o700)
    monkeypatch.setattr(compiler, "_SECONDS", 0.2)
    with pytest.raises(Unavailable, match="TimeoutExpired"):
        Opa(slow).run("version")
    with pytest.raises(Unavailable, match="FileNotFoundError"):
        Opa(tmp_path / "gone").run("version")
