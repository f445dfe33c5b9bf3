"""A scan's result as a signed document."""

import json
from pathlib import Path

import pytest

from gateway.evidence.dsse import DsseError, seal, unsealed
from gateway.evidence.note import Checkpoint, Signer
from gateway.evidence.scan import scan
from gateway.evidence.scan_result import PAYLOAD_TYPE, Occasion, Result, document, opened, signed
from gateway.evidence.scan_selftest import SelfTest, self_test
from tests.evidence.world import CARD

SIGNER = Signer("log.test/1", bytes(range(32)))
OCCASION = Occasion(
    started_ns=0, ended_ns=10**9, by="ada", scope=("/var/lib/querywarden",), with_recordings=False, version="0.1.0",
    checkpoint=Checkpoint("log.test/1", 7, bytes(32)),
)  # fmt: skip


def result(folder: Path, tested: SelfTest | None = None) -> Result:
    return document(scan(folder, (), None), tested or self_test(), OCCASION)


def test_a_result_comes_back_from_its_envelope(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("nothing")
    told = result(tmp_path)
    assert told.ok
    assert (told.started, told.ended) == ("1970-01-01T00:00:00Z", "1970-01-01T00:00:01Z")
    assert opened(signed(told, SIGNER), SIGNER.verifier) == told


def test_a_finding_is_told_by_place_and_kind_and_never_by_its_digits(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(f"x {CARD}")
    told = json.loads(unsealed(signed(result(tmp_path), SIGNER)))
    assert told["ok"] is False
    assert told["findings"] == [{"file": str(tmp_path / "a"), "offset": 2, "length": 16, "kind": "plain"}]
    assert "4111" not in json.dumps(told)


@pytest.mark.parametrize("tested", [SelfTest(9, 8, ("base64",), 0), SelfTest(9, 9, (), 1)])
def test_a_scanner_that_fails_its_own_test_calls_nothing_clean(tmp_path: Path, tested: SelfTest) -> None:
    assert not result(tmp_path, tested).ok


def test_another_key_another_type_and_another_document_are_refused(tmp_path: Path) -> None:
    envelope = signed(result(tmp_path), SIGNER)
    with pytest.raises(DsseError):
        opened(envelope, Signer("log.test/1", bytes(32)).verifier)
    for payload, kind in ((b"{}", PAYLOAD_TYPE), (b"{}", "application/json")):
        with pytest.raises(DsseError):
            opened(seal(payload, kind, SIGNER), SIGNER.verifier)
