"""What goes to stderr through the clean stream: lines as they were, without card numbers."""

import io
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.cli.clean_stream import MAX_LINE, CleanStream, clean_stderr
from gateway.core.disguised import find_any
from tests.support.card_forms import NUMBERS, TEXTS
from tests.support.gateway import ROOT

VISA = NUMBERS["visa"]


@given(
    st.lists(st.sampled_from(["ready\n", "a=1 ", "\n", VISA[:7], VISA[7:], " 4111 1111 1111 1111 ", "é"]), max_size=12)
)
def test_lines_come_out_as_they_went_in_without_card_numbers(parts: list[str]) -> None:
    below = io.StringIO()
    stream = CleanStream(below)
    for part in parts:
        assert stream.write(part) == len(part)
    stream.flush()
    said, written = below.getvalue(), "".join(parts)
    assert len(said) == len(written)
    assert said.count("\n") == written.count("\n")
    assert not any(find_any(line.encode()) for line in said.split("\n"))


@pytest.mark.parametrize("form", TEXTS.values(), ids=TEXTS)
def test_no_form_of_a_number_passes(form: object) -> None:
    assert callable(form)
    below = io.StringIO()
    CleanStream(below).write(f"error: value {form(VISA)} too long\n")
    assert below.getvalue().startswith("error: value ")
    assert not find_any(below.getvalue().encode())


def test_a_line_without_an_end_is_not_held_for_ever() -> None:
    below = io.StringIO()
    stream = CleanStream(below)
    stream.write("x" * (MAX_LINE + 1))
    assert len(below.getvalue()) == MAX_LINE + 1


def test_stderr_is_taken_over_once(monkeypatch: pytest.MonkeyPatch) -> None:
    below = io.StringIO()
    monkeypatch.setattr(sys, "stderr", below)
    first = clean_stderr()
    assert clean_stderr() is first is sys.stderr
    sys.stderr.write(f"paid with {VISA}\n")
    assert below.getvalue() == "paid with ****************\n"
    assert not first.isatty()


def test_a_traceback_shows_no_card_number() -> None:
    code = (
        "import asyncio\n"
        "from gateway.cli.serve import speak\n"
        "speak()\n"
        "from gateway import app\n"
        f"app.LOG.info('paid', value='{VISA}', other=['4111 1111 1111 1111'])\n"
        "async def fail(): raise KeyError(str(4111111111111110 + 1))\n"
        "async def main():\n"
        "    task = asyncio.create_task(fail())\n"
        "    await asyncio.sleep(0)\n"
        "    await asyncio.sleep(0)\n"
        "    del task\n"
        "asyncio.run(main())\n"
        "raise ValueError('4111-1111-1111-1111')\n"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert "ValueError: ****-****-****-****" in said.stderr
    assert "KeyError: '****************'" in said.stderr
    assert "paid" in said.stderr
    assert VISA not in said.stderr
    assert not find_any(said.stderr.encode())
