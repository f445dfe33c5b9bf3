"""Clocks: what the kernel says, how far a database's is away, and what is recorded of both."""
# ruff: noqa: E501 -- tables of figures

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.events import EventType
from gateway.evidence.clocks import Apart, Kernel, apart, kernel_clock, measured, of_kernel


def test_the_kernel_is_asked_or_nothing_is_said() -> None:
    found = kernel_clock()
    assert found.synchronised in {True, False, None}
    assert found.synchronised is None or found.most_us is not None


def test_another_system_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert kernel_clock() == Kernel(synchronised=None)


@pytest.mark.parametrize(
    ("state", "status", "offset", "found"),
    [
        (0, 0x2001, -1500, Kernel(synchronised=True, offset_us=-2, error_us=10, most_us=20)),
        (0, 0x0001, -1500, Kernel(synchronised=True, offset_us=-1500, error_us=10, most_us=20)),
        (5, 0x0040, 0, Kernel(synchronised=False, offset_us=0, error_us=10, most_us=20)),
        (0, 0x0040, 0, Kernel(synchronised=False, offset_us=0, error_us=10, most_us=20)),
    ],
)
def test_what_the_kernel_says_is_in_microseconds(state: int, status: int, offset: int, found: Kernel) -> None:
    assert of_kernel(state, status, offset, 10, 20) == found


@given(st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 5000)), min_size=1), st.integers(-(10**9), 10**9))
def test_the_true_difference_lies_within_the_error(ways: list[tuple[int, int]], ahead: int) -> None:
    asked = [(10**6, 10**6 + there + ahead, 10**6 + there + back) for there, back in ways]
    found = apart(asked)
    assert abs(found.offset_us - ahead) <= found.error_us + 1
    assert found.error_us <= min(there + back for there, back in ways) // 2 + 1


def test_the_record_names_what_is_far_and_what_could_not_be_asked() -> None:
    event = measured(
        Kernel(synchronised=True, offset_us=3, error_us=10, most_us=20),
        {"near": Apart(offset_us=1_000_400, error_us=500), "far": Apart(offset_us=-3_000_000, error_us=500), "away": "upstream.unreachable"},
    )  # fmt: skip
    assert event.type is EventType.CLOCK_MEASURED
    assert not event.ok
    assert event.data == {
        "kernel": {"synchronised": True, "offset_us": 3, "error_us": 10, "most_us": 20},
        "databases": {
            "near": {"offset_us": 1_000_400, "error_us": 500},
            "far": {"offset_us": -3_000_000, "error_us": 500},
            "away": {"unavailable": "upstream.unreachable"},
        },
        "far": ["far"],
    }


def test_a_kernel_that_says_nothing_is_no_alarm() -> None:
    event = measured(Kernel(synchronised=None), {})
    assert event.ok
    assert event.data["kernel"] == {"synchronised": "unknown"}
