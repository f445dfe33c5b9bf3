"""What tests of faults have to say goes into the summary, as in the end-to-end tests; and a gateway in this process."""

from tests.app.conftest import place
from tests.e2e.conftest import pytest_terminal_summary, say

__all__ = ["place", "pytest_terminal_summary", "say"]
