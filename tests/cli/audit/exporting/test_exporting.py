"""`audit export` on the command line: a package that holds, a sample nobody could choose, reports that people read."""

import csv
import io
import json
import shutil
import zipfile
from pathlib import Path

import pytest

from gateway import cli
from gateway.evidence.dsse import unsealed
from gateway.evidence.keys import load_keys
from gateway.evidence.leaf import decode_leaf
from gateway.evidence.package.verifier.archive import Archive
from gateway.evidence.package.verifier.command import verify_package
from gateway.evidence.verify import verify
from gateway.evidence.view import open_views
from tests.cli.audit.exporting.world import HOSTILE, Days
from tests.evidence.package.mutations import Base, files_of, sealed
from tests.evidence.package.world import key_of, verified_bytes, wrong
from tests.evidence.world import TickClock


def export(days: Days, output: Path, *more: str) -> int:
    base = [
        "audit",
        "export",
        "--from",
        "2020-01-01",
        "-o",
        str(output),
        "--data",
        str(days.folder),
        "--per-stratum",
        "2",
    ]
    return cli.main([*base, *more])


@pytest.fixture(scope="module")
def package(days: Days, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("package") / "evidence.zip"
    assert export(days, output) == cli.DONE
    return output


def read(package: Path, name: str) -> bytes:
    with zipfile.ZipFile(package) as archive:
        return archive.read(name)


def test_a_package_holds_by_its_own_verifier(package: Path, days: Days) -> None:
    found = verify_package(package, [key_of(days.folder)], [])
    assert (found.code, wrong(found), found.decisions, found.samples) == (0, [], days.decisions, 6)


def test_it_has_everything_the_design_names(package: Path, days: Days) -> None:
    with zipfile.ZipFile(package) as archive:
        names = set(archive.namelist())
    sample = next(name.split("/")[2] for name in names if name.startswith("decisions/samples/"))
    size = json.loads(read(package, "MANIFEST.json"))["log"][0]["size"]
    reports = ("pci_matrix.html", "pci_matrix.csv", "pci_matrix.json", "access_review.html", "daily.html", "index.html")
    more = ("operation.json", "retention.json", "bundles.json", "summary.json")
    assert names >= {
        "MANIFEST.json", "MANIFEST.dsse.json", "custody.jsonl", "VERIFY.md", "verify.py", "decisions/population.csv",
        "log/1/checkpoint", "log/1/key.pub", f"log/1/tile/0/000.p/{size}", f"log/1/tile/entries/000.p/{size}",
        *(f"report/{name}" for name in (*reports, *more)),
        *(f"decisions/samples/{sample}/{name}" for name in ("leaf.json", "input.json", "decision.json")),
        f"decisions/samples/{sample}/proof.tlog-proof",
        *(f"policies/{days.bundle}/{name}" for name in ("bundle.tar.gz", "tests.json", "coverage.json")),
    }  # fmt: skip


def test_the_export_is_recorded_and_the_log_still_verifies(package: Path, days: Days) -> None:
    view = next(open_views(days.folder))
    leaves = [decode_leaf(raw) for _, raw in view.upwards(0)]
    exports = [leaf for leaf in leaves if leaf.type == "evidence.accessed" and leaf.act == "export"]
    named = {str(leaf.facts()["arguments"]) for leaf in exports}
    assert any(json.loads(read(package, "decisions/sample.json"))["population"]["sha256"] in text for text in named)
    assert verify(days.folder, TickClock()).ok


def test_the_seed_is_the_root_of_a_checkpoint_that_covers_the_population(package: Path) -> None:
    told = json.loads(read(package, "decisions/sample.json"))
    assert told["seed_from"]["kind"] == "checkpoint"
    assert told["seed"] == json.loads(read(package, "MANIFEST.json"))["log"][-1]["root"]


def test_an_assessors_seed_is_used_and_compared(
    own_days: Days, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "evidence.zip"
    assert export(own_days, output, "--seed", "theirs", "--json") == cli.DONE
    told = json.loads(capsys.readouterr().out)
    assert (told["seed"], told["seed_from"], told["decisions"]) == ("theirs", {"kind": "assessor"}, own_days.decisions)
    key = ["--key", str(own_days.folder / "keys/log-1.pub")]
    assert cli.main(["audit", "verify", "--package", str(output), *key, "--seed", "theirs"]) == 0
    assert cli.main(["audit", "verify", "--package", str(output), *key, "--seed", "ours"]) == 1


def test_two_seeds_are_a_usage_error(days: Days, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export(days, tmp_path / "e.zip", "--seed", "x", "--sample-seed-checkpoint") == cli.USAGE
    assert "not both" in capsys.readouterr().err


def test_only_some_connections_can_be_asked_for(days: Days, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export(days, tmp_path / "e.zip", "--connection", "ledger", "--json") == cli.DONE
    assert json.loads(capsys.readouterr().out)["decisions"] == 0


def test_a_copy_needs_a_seed_and_a_key_to_sign_with(
    own_days: Days, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(own_days.folder, copy)
    for key in (copy / "keys").glob("log-*.key"):
        key.unlink()
    assert export(Days(copy, "", 0), tmp_path / "e.zip") in {cli.SAYS_NO, cli.USAGE}
    assert "log-1.key" in capsys.readouterr().err
    assert not (tmp_path / "e.zip").exists()


def test_what_a_checkpoint_kept_elsewhere_says_is_proved(own_days: Days, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes((own_days.folder / "log/1/checkpoint").read_bytes())
    size = int(kept.read_text("utf-8").split("\n")[1])
    assert export(own_days, tmp_path / "e.zip", "--earlier", str(kept)) == cli.DONE
    assert read(tmp_path / "e.zip", f"log/1/earlier/{size}.checkpoint") == kept.read_bytes()
    assert wrong(verify_package(tmp_path / "e.zip", [key_of(own_days.folder)], [])) == []


def test_a_scan_of_everything_stored_is_put_in(own_days: Days, tmp_path: Path) -> None:
    assert export(own_days, tmp_path / "e.zip", "--with-scan") == cli.DONE
    told = json.loads(unsealed(read(tmp_path / "e.zip", "scan/result.dsse.json")))
    assert (told["ok"], told["total"]) == (True, 0)
    rows = {row["control"]: row for row in json.loads(read(tmp_path / "e.zip", "report/pci_matrix.json"))["rows"]}
    assert "no card number" in rows["PCI-DSS-4.0.1/3.5.1"]["shown"][0]
    assert export(own_days, tmp_path / "f.zip", "--with-scan", "--scan", "x") == cli.USAGE


def test_a_day_that_was_signed_off_is_proved_and_another_word_is_found(own_days: Days, tmp_path: Path) -> None:
    day = ["--data", str(own_days.folder), "--day", "2026-11-24", "--reason", "looked at it"]
    assert cli.main(["audit", "sign-off", *day]) == cli.DONE
    output = tmp_path / "e.zip"
    assert export(own_days, output) == cli.DONE
    assert wrong(verify_package(output, [key_of(own_days.folder)], [])) == []
    assert b"signed off" in read(output, "report/daily.html")
    told = json.loads(read(output, "report/daily.json"))
    assert told["signed_off"]["2026-11-24"]["digest"] == told["digests"]["2026-11-24"]
    told["signed_off"]["2026-11-25"] = {**told["signed_off"]["2026-11-24"], "day": "2026-11-25"}
    with output.open("rb") as file:
        files = files_of(Archive(file))
    signer = load_keys(own_days.folder / "keys", 1).signer
    base = Base(output.read_bytes(), files, signer, signer, b"", b"")
    forged = sealed(base, {**files, "report/daily.json": json.dumps(told).encode()})
    assert wrong(verified_bytes(forged, key_of(own_days.folder))) == ["report.mismatch"]


def test_names_from_outside_do_nothing_in_pages_or_tables(package: Path) -> None:
    for name in ("index", "pci_matrix", "access_review", "daily"):
        page = read(package, f"report/{name}.html").decode()
        assert "<script" not in page
        assert "\u202e" not in page
        assert "default-src 'none'" in page
    assert HOSTILE.encode() not in read(package, "decisions/population.csv")
    rows = list(csv.reader(io.StringIO(read(package, "report/access_review.csv").decode())))
    assert rows[0][0] == "group"


def test_no_word_says_compliant(package: Path) -> None:
    for name in ("report/index.html", "report/pci_matrix.html", "report/pci_matrix.json", "VERIFY.md"):
        assert b"compliant" not in read(package, name).lower()
