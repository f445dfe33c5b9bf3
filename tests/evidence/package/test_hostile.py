"""Whatever a package says, its verifier ends with an answer: no crash, no endless work, no word that is believed."""

import json
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.evidence.package.population import Period
from gateway.evidence.package.verifier.archive import MANIFEST
from gateway.evidence.package.verifier.drawn import POPULATION, cell
from tests.evidence.package.mutations import Base, sealed, sealed_as
from tests.evidence.package.world import built, key_of, verified, verified_bytes, write_log, wrong
from tests.evidence.world import TickClock

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)
DOCUMENTS = ("decisions/sample.json", "report/summary.json", "custody.jsonl")


def changed(value: object, replacement: object, rng: Random) -> object:
    """The value with one part of it, somewhere, replaced."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        name = rng.choice(sorted(value))
        return {**value, name: changed(value[name], replacement, rng)}
    if isinstance(value, list) and value and rng.random() < 0.9:
        at = rng.randrange(len(value))
        return [*value[:at], changed(value[at], replacement, rng), *value[at + 1 :]]
    return replacement


def answered(base: Base, package: bytes) -> int:
    return verified_bytes(package, base.signer.verifier.encode()).code


@settings(max_examples=40, deadline=None)
@given(replacement=VALUES, seed=st.integers(0, 1 << 32), name=st.sampled_from(DOCUMENTS))
def test_a_document_that_says_anything_ends_with_an_answer(
    base: Base, replacement: object, seed: int, name: str
) -> None:
    told = changed(json.loads(base.files[name].splitlines()[0]), replacement, Random(seed))  # noqa: S311 -- to be repeated
    assert answered(base, sealed(base, {**base.files, name: json.dumps(told).encode()})) in {0, 1, 2}


@settings(max_examples=40, deadline=None)
@given(
    replacement=VALUES, seed=st.integers(0, 1 << 32), part=st.sampled_from(["log", "period", "population", "made_by"])
)
def test_a_manifest_that_says_anything_ends_with_an_answer(
    base: Base, replacement: object, seed: int, part: str
) -> None:
    told = json.loads(base.files[MANIFEST])
    whole = changed(told[part], replacement, Random(seed))  # noqa: S311 -- to be repeated
    if isinstance(replacement, float) or (isinstance(replacement, int) and abs(replacement) > 1 << 50):
        whole = replacement = 1
    try:
        package = sealed_as(base, base.files, {part: whole})
    except ValueError:  # what canonical JSON cannot say cannot be sealed either
        return
    assert answered(base, package) in {0, 1, 2}


@settings(max_examples=30, deadline=None)
@given(junk=st.binary(max_size=200), seed=st.integers(0, 1 << 32))
def test_any_file_of_any_bytes_ends_with_an_answer(base: Base, junk: bytes, seed: int) -> None:
    name = Random(seed).choice(base.names)  # noqa: S311 -- to be repeated
    assert answered(base, sealed(base, {**base.files, name: junk})) in {0, 1, 2}


@pytest.mark.parametrize("line", [b"", b"\r\n" * 9, b'"', b"a" * 200_000 + b"\r\n", b"\0\r\n", b"\xff\r\n", b',"\r\n'])
def test_a_list_of_anything_is_found_out(base: Base, line: bytes) -> None:
    assert answered(base, sealed(base, {**base.files, POPULATION: base.files[POPULATION] + line})) == (1 if line else 0)


@pytest.mark.parametrize("twice", [b'{"total":0,', b'{"x":NaN,', b'{"x":-Infinity,', b"\xef\xbb\xbf{"])
def test_a_document_that_two_readers_may_read_differently_is_refused(base: Base, twice: bytes) -> None:
    name = "report/summary.json"
    told = base.files[name].replace(b'"decisions":{', b'"decisions":' + twice, 1) if b"total" in twice else b""
    files = {**base.files, name: told or base.files[name].replace(b"{", twice, 1)}
    assert wrong(verified_bytes(sealed(base, files), base.signer.verifier.encode())) == ["file.unreadable"]


def test_two_names_that_some_machines_take_for_one_are_refused(base: Base) -> None:
    files = {**base.files, "verify.md": b"another"}
    assert wrong(verified_bytes(sealed(base, files), base.signer.verifier.encode())) == ["zip.duplicate"]


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\uff1d", "\uff0b"])
def test_no_cell_begins_a_formula(sign: str) -> None:
    assert cell(f"{sign}cmd|' /C calc'!A0") == f"'{sign}cmd|' /C calc'!A0"


def test_a_decision_that_says_another_time_than_those_beside_it_is_told(tmp_path: Path) -> None:
    clock = TickClock()
    write_log(tmp_path / "var", sessions=4, statements=3, clock=clock)
    inside = clock.now
    clock.now -= 400 * 86_400 * 10**9
    write_log(tmp_path / "var", sessions=4, statements=3, clock=clock)
    clock.now = inside + 10**9
    write_log(tmp_path / "var", sessions=4, statements=3, clock=clock)
    built(tmp_path / "var", tmp_path / "p.zip", Period(inside - 30 * 86_400 * 10**9, clock.now + 10**9))
    found = verified(tmp_path / "p.zip", key_of(tmp_path / "var"))
    assert "time.elsewhere" in {finding.name for finding in found.findings}
    assert found.code == 0
