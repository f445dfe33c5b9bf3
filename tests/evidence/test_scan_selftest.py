"""The scanner's own test: it passes, and it fails when the scanner does."""

import pytest

from gateway.evidence import scan_selftest
from gateway.evidence.scan_selftest import self_test


def test_everything_that_is_planted_is_found_and_nothing_else() -> None:
    tested = self_test()
    assert tested.planted == tested.found > 100
    assert (tested.missed, tested.false_alarms) == ((), 0)


def test_a_scanner_that_finds_nothing_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_selftest, "places", lambda _, **__: [])
    tested = self_test()
    assert tested.found == 0
    assert "base64" in tested.missed


def test_a_scanner_that_finds_everything_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_selftest, "places", lambda data, **_: data)
    assert self_test().false_alarms == self_test().planted
