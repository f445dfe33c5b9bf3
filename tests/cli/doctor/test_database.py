"""Logging in says why it failed; two clocks are compared within what asking takes."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cli.doctor.database import clocks
from gateway.cli.doctor.result import Status
from tests.cli.doctor.world import ask, place
from tests.support.postgres import Cluster


def test_a_login_says_where_as_whom_and_how_it_is_protected(
    tmp_path: Path, cluster: Cluster, tidy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ((status, text),) = ask(place(tmp_path, cluster, tidy), capsys).about("database")
    assert status == "fine"
    assert text.startswith("PostgreSQL ")
    assert text.endswith(f"at 127.0.0.1:{cluster.port}, agent_ro@{tidy}, TLSv1.3, verify-full")


def test_a_certificate_of_another_authority_is_a_no(
    tmp_path: Path, cluster: Cluster, tidy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config = place(tmp_path, cluster, tidy)
    config.write_text(config.read_text().replace(str(cluster.tls.ca), "ca.pem"))
    said = ask(config, capsys)
    assert said.code == 1
    assert "TLS" in said.about("database")[0][1]


def test_a_secret_that_is_not_there_is_a_no(
    tmp_path: Path,
    cluster: Cluster,
    tidy: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("PASSWORD_AGENT_RO")
    said = ask(place(tmp_path, cluster, tidy), capsys)
    assert said.code == 1
    assert "PASSWORD_AGENT_RO" in said.about("database")[0][1]


times = st.integers(min_value=0, max_value=2**42)


@given(before=times, passed=st.integers(min_value=0, max_value=60_000), share=st.floats(0, 1))
def test_a_clock_that_may_be_ours_is_never_blamed(before: int, passed: int, share: float) -> None:
    result = clocks("x", before, before + int(passed * share), before + passed, 0)
    assert result.status is Status.FINE


@given(before=times, passed=st.integers(0, 1000), off=st.integers(30_001, 10**9), behind=st.booleans())
def test_a_difference_of_more_than_the_skew_is_told_with_its_direction(
    before: int, passed: int, off: int, *, behind: bool
) -> None:
    theirs = before - off if behind else before + passed + off
    result = clocks("x", before, theirs, before + passed, 30)
    assert result.status is Status.NO
    assert result.text.endswith("behind" if behind else "ahead")
