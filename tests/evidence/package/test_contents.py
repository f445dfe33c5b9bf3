"""Samples, recordings and custody: everything a leaf names is here, or the package says that it is missing."""

import json
import os
import struct
from pathlib import Path

import pytest

from gateway.evidence.package.contents import as_json, recording_parts
from gateway.evidence.package.verifier.contents import labels_of
from gateway.evidence.recording.places import recording_path
from tests.evidence.package.mutations import Base, sealed
from tests.evidence.package.world import verified_bytes, wrong


def test_numbers_that_json_does_not_hold_become_texts() -> None:
    assert as_json({"a": [1 << 60, True, 5, (-1 << 60, "x")]}) == (
        b'{"a":["1152921504606846976",true,5,["-1152921504606846976","x"]]}\n'
    )


def test_labels_are_those_of_relations_and_columns() -> None:
    document: dict[str, object] = {
        "statement": {"relations": [{"labels": ["cvv"]}], "columns": [{"labels": ["pan", "cvv"]}, {}, 7]}
    }
    assert labels_of(document) == "cvv pan"
    assert labels_of({}) == ""


def test_a_sample_names_its_sessions_recording(base: Base) -> None:
    (first, *_) = base.like("^decisions/samples/.*/recording.json$")
    told = json.loads(base.files[first])
    assert base.files[told["recording"]].startswith(b"QWGWR")
    assert base.files[told["recording"].replace(".gwr", ".key")] == b"wrapped"


def test_a_sample_that_was_let_through_says_how_it_ended(base: Base) -> None:
    for name in base.like("^decisions/samples/.*/leaf.json$"):
        ended = name.replace("leaf.json", "ended.tlog-proof") in base.files
        assert ended == (json.loads(base.files[name])["outcome"] != "deny")


def test_sessions_without_a_recording_are_passed_over(tmp_path: Path) -> None:
    pipe = recording_path(tmp_path, "01993c1e-7d1b-7b1e-9f00-0d3f6a2b9c11")
    pipe.parent.mkdir(parents=True)
    os.mkfifo(pipe)
    assert recording_parts(tmp_path, [("d", "no session"), ("e", "01993c1e-7d1b-7b1e-9f00-0d3f6a2b9c11")]) == {}


@pytest.mark.parametrize("cut", [1, 30, 200])
def test_a_recording_that_was_cut_is_found(base: Base, cut: int) -> None:
    name = base.like(r"\.gwr$")[0]
    changed = sealed(base, {**base.files, name: base.files[name][:-cut]})
    assert wrong(verified_bytes(changed, base.signer.verifier.encode())) == ["recording.mismatch"]


def test_segments_swapped_are_found(base: Base) -> None:
    name = base.like(r"\.gwr$")[0]
    raw = base.files[name]
    at = 12 + struct.unpack_from(">I", raw, 8)[0]
    size = 21 + struct.unpack_from(">I", raw, at + 17)[0]
    changed = sealed(base, {**base.files, name: raw[:at] + raw[at + size :] + raw[at : at + size]})
    assert wrong(verified_bytes(changed, base.signer.verifier.encode())) == ["recording.mismatch"]


def test_custody_has_this_export_too(base: Base) -> None:
    lines = [json.loads(line) for line in base.files["custody.jsonl"].splitlines()]
    assert [(line["who"], line["what"]) for line in lines] == [("alice", "export"), ("alice", "export")]


def test_a_recording_that_no_leaf_of_the_package_seals_is_told(base: Base) -> None:
    name = base.like(r"\.gwr$")[0]
    stranger = "recordings/01993c1e-7d1b-7b1e-9f00-0d3f6a2b9c11.gwr"
    found = verified_bytes(sealed(base, {**base.files, stranger: base.files[name]}), base.signer.verifier.encode())
    assert [(each.name, each.where) for each in found.findings if each.name.startswith("recording.")] == [
        ("recording.unproved", stranger)
    ]
