"""VERIFY.md names this package's own files; tests/conformance/test_package.py types its commands."""

from gateway.cli.audit.exporting.drawing import Drawn
from gateway.cli.audit.exporting.page import verify_page
from tests.cli.audit.exporting.world import Days


def test_nothing_is_left_to_fill_in(drawn: Drawn, days: Days) -> None:
    page = verify_page(drawn.taken, drawn.sample, "evidence.zip").decode()
    assert "{{" not in page
    assert f"policies/{days.bundle}/bundle.tar.gz" in page
    assert any(f"decisions/samples/{did}/input.json" in page for did in drawn.sample.places)


def test_a_package_without_samples_has_words_in_their_place(drawn: Drawn) -> None:
    page = verify_page(drawn.taken, drawn.sample._replace(places={}), "evidence.zip").decode()
    assert "decisions/samples/DECISION/input.json" in page
