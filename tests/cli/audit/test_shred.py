"""How long a recording is kept is what the configuration says; without one, what it would say."""

from pathlib import Path

import pytest

from gateway import cli
from gateway.cli.audit import shred as module
from gateway.evidence.recording.places import key_path, recording_path
from tests.cli.audit.replaying.world import Recorded, write
from tests.config.world import changed, furnish
from tests.evidence.world import NOW


class Later:
    """A clock that is some days behind the session."""

    days = 0

    def now_ns(self) -> int:
        return NOW + self.days * 86_400 * 10**9

    def monotonic_ns(self) -> int:
        return 0


@pytest.mark.parametrize(("days", "code"), [(6, 1), (8, 0)])
def test_the_configuration_says_how_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], days: int, code: int
) -> None:
    recorded: Recorded = write(tmp_path)
    furnish(tmp_path)
    text = changed("evidence.retention", {"hot": "1d", "total": "7d"})
    (tmp_path / "gateway.yaml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(Later, "days", days)
    monkeypatch.setattr(module, "SystemClock", Later)
    config = str(tmp_path / "gateway.yaml")
    assert cli.main(["audit", "shred", recorded.sid, "-c", config, "--reason", "its time is over"]) == code
    assert key_path(recording_path(recorded.folder, recorded.sid)).exists() is bool(code)
    said = capsys.readouterr()
    assert ("kept for 7" in said.err) is bool(code)
