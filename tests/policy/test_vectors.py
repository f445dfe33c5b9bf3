"""Every engine gives the decisions of rego_tests/vectors, byte for byte; what the vectors claim of themselves holds."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import pytest
import yaml

from gateway.core.verdict import Decision
from gateway.policy.bundle import DATA, WASM
from gateway.policy.compiler import Compiled, Opa, compile_policy
from gateway.policy.document import canonical, check
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.site import Site, contradictions

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "rego_tests/vectors").glob("*.json"))
NAMES = [path.name for path in FILES]
AT_LEAST = 200
QUERY = """package asked
decisions := [decision | some each in input.documents; decision := data.gateway.main.decision with input as each]
"""


class Vector(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One question with its answer."""

    name: str
    shows: tuple[str, ...]
    input: Mapping[str, object]
    decision: Mapping[str, object]
    conforms: bool = True


class Vectors(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file."""

    about: str
    site: Mapping[str, object]
    vectors: tuple[Vector, ...]


def read(path: Path) -> Vectors:
    return msgspec.json.decode(path.read_bytes(), type=Vectors)


@pytest.fixture(scope="module")
def compiled() -> Compiled:
    return compile_policy(Opa.find(), ROOT / "policies")


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_the_embedded_engine_gives_each_decision(path: Path, compiled: Compiled) -> None:
    asked = read(path)
    data = {**json.loads(compiled.files[DATA]), "site": asked.site}
    engine = EmbeddedEngine(compiled.files[WASM], canonical(data))
    wrong = [
        each.name for each in asked.vectors if engine.evaluate_now(canonical(each.input)) != canonical(each.decision)
    ]
    engine.close()
    assert wrong == []


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_opa_gives_each_decision(path: Path, tmp_path: Path) -> None:
    asked = read(path)
    assert reference([each.input for each in asked.vectors], asked.site, tmp_path) == [
        canonical(each.decision) for each in asked.vectors
    ]


def reference(documents: Sequence[object], site: Mapping[str, object], folder: Path) -> list[bytes]:
    """The answers of `opa eval`."""
    (folder / "asked.rego").write_text(QUERY, encoding="utf-8")
    (folder / "site.json").write_bytes(canonical({"site": site}))
    (folder / "input.json").write_bytes(canonical({"documents": documents}))
    loaded: list[str | Path] = [f"gateway:{ROOT / 'policies/gateway'}", folder / "asked.rego", folder / "site.json"]
    arguments = [part for each in loaded for part in ("-d", each)]
    out = Opa.find().must("eval", *arguments, "-i", folder / "input.json", "--format", "json", "data.asked.decisions")
    return [canonical(answer) for answer in json.loads(out)["result"][0]["expressions"][0]["value"]]


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_inputs_conform_as_they_say_and_site_data_is_usable(path: Path) -> None:
    asked = read(path)
    assert list(contradictions(msgspec.convert(asked.site, Site))) == []
    assert [each.name for each in asked.vectors if conforms(each) is not each.conforms] == []


def conforms(vector: Vector) -> bool:
    try:
        check(canonical(vector.input))
    except msgspec.ValidationError:
        return False
    return True


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_decisions_are_ones_the_gateway_can_read(path: Path) -> None:
    for each in read(path).vectors:
        decision = msgspec.convert(each.decision, Decision)
        assert bool(decision.obligations.masks) <= (decision.outcome.value in {"mask", "require_approval"}), each.name


def test_what_does_not_conform_is_denied() -> None:
    odd = [each for path in FILES for each in read(path).vectors if not each.conforms]
    assert odd
    assert {each.decision["outcome"] for each in odd} == {"deny"}


def test_there_are_enough_of_them_each_with_a_name_of_its_own() -> None:
    names = [each.name for path in FILES for each in read(path).vectors]
    assert len(names) >= AT_LEAST
    assert len(set(names)) == len(names)


def test_each_shows_a_requirement_we_know() -> None:
    standard = yaml.safe_load((ROOT / "policies/compliance/pci_dss_4.0.1.yaml").read_text(encoding="utf-8"))
    known = {f"{standard['prefix']}/{each['id']}" for each in standard["requirements"]}
    shown = {control for path in FILES for each in read(path).vectors for control in each.shows}
    assert shown
    assert shown <= known
    assert all(each.shows for path in FILES for each in read(path).vectors)
