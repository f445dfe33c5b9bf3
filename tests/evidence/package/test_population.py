"""The list of decisions: labels from stored inputs, hashed as it lies on disk, drawn from in two passes."""

import hashlib
from pathlib import Path

from gateway.evidence.package.building import take
from gateway.evidence.package.population import (
    Labels,
    Period,
    decisions,
    draw_sample,
    read_population,
    write_population,
)
from gateway.evidence.package.verifier.drawn import COLUMNS
from gateway.evidence.package.verifier.story import Leaf
from tests.evidence.package.world import ALWAYS, write_log


def test_every_decision_is_a_row_with_the_labels_of_its_input(tmp_path: Path) -> None:
    write_log(tmp_path / "var", sessions=3)
    seen: list[Leaf] = []
    taken = take(tmp_path / "var", ALWAYS)
    fixed = write_population(tmp_path / "p.csv", decisions(taken.epochs, taken.period, seen.append))
    rows = list(read_population(fixed.path))
    assert fixed.rows == len(rows) == 36
    assert len(seen) == taken.newest.tree.size
    assert {row[11] for row in rows} == {"pan"}
    raw = fixed.path.read_bytes()
    assert raw.startswith(",".join(COLUMNS).encode() + b"\r\n")
    assert fixed.sha256 == hashlib.sha256(raw).hexdigest()


def test_a_document_is_read_once_and_one_that_is_gone_has_no_labels() -> None:
    asked: list[str] = []

    def body(name: str) -> bytes | None:
        asked.append(name)
        return b'{"statement":{"columns":[{"labels":["pan","cvv"]}]}}' if name == "a" else None

    labels = Labels(body)
    assert [labels.of(name) for name in ("sha256:a", "sha256:a", "sha256:b", "")] == ["cvv pan", "cvv pan", "", ""]
    assert asked == ["a", "b"]


def test_a_period_holds_its_begin_and_not_its_end() -> None:
    period = Period(5, 7, ("payments",))
    leaves = [
        Leaf(1, 0, b"", {"t": str(t), "res": res}) for t, res in ((4, "payments"), (5, "payments"), (7, "payments"))
    ]
    assert [period.holds(leaf) for leaf in leaves] == [False, True, False]
    assert not period.holds(Leaf(1, 0, b"", {"t": "5", "res": "other"}))


def test_a_sample_knows_where_its_decisions_stand(tmp_path: Path) -> None:
    write_log(tmp_path / "var", sessions=3)
    taken = take(tmp_path / "var", ALWAYS)
    fixed = write_population(tmp_path / "p.csv", decisions(taken.epochs, taken.period, lambda _: None))
    sample = draw_sample(fixed, "seed", {"kind": "assessor"}, 2)
    for did, (epoch, at) in sample.places.items():
        assert f'"did":"{did}"'.encode() in taken.snapshot(epoch).raw(at)
    told = sample.document(fixed)
    assert (told["seed"], told["per_stratum"]) == ("seed", 2)
