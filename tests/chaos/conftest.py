"""What tests of faults have to say goes into the summary, as in the end-to-end tests."""

from tests.e2e.conftest import pytest_terminal_summary, say

__all__ = ["pytest_terminal_summary", "say"]
