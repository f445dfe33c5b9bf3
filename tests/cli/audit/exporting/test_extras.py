"""Results of other commands: what is no result is refused, what speaks against a requirement is said."""

from pathlib import Path

import pytest

from gateway.cli.audit.exporting.drawing import Drawn
from gateway.cli.audit.exporting.extras import RECONCILE, RETENTION, SCAN, gather
from gateway.core.errors import ConfigError
from gateway.evidence.dsse import seal
from gateway.evidence.note import Signer

SIGNER = Signer("log.test/1", b"\1" * 32)


@pytest.mark.parametrize(
    ("result", "holds"), [(b'{"ok":true,"verdict":"complete"}', True), (b'{"ok":false,"verdict":"bypassed"}', False)]
)
def test_a_scan_and_a_reconciliation_become_facts(drawn: Drawn, tmp_path: Path, result: bytes, holds: bool) -> None:  # noqa: FBT001 -- expected
    (tmp_path / "r.json").write_bytes(result)
    extras = gather(drawn.taken, None, seal(result, "text/x", SIGNER), tmp_path / "r.json")
    assert set(extras.parts) == {SCAN, RECONCILE, RETENTION}
    assert (extras.facts["scan"].holds, extras.facts["reconcile"].holds) == (holds, holds)


def test_without_them_there_is_the_retention_report(drawn: Drawn) -> None:
    extras = gather(drawn.taken, None, None, None)
    assert set(extras.parts) == {RETENTION}
    assert extras.facts["retention"].holds
    assert "kept 400 days" in extras.facts["retention"].text


def test_what_is_no_result_is_refused(drawn: Drawn, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text("no")
    with pytest.raises(ConfigError, match=r"r\.json"):
        gather(drawn.taken, None, None, tmp_path / "r.json")
    with pytest.raises(ConfigError, match="no signed one"):
        gather(drawn.taken, None, b"no", None)
