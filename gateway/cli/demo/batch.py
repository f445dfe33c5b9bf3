"""Several of our own commands, one after the other in one process: as a script would type them, but Python starts once.

Standard input is a JSON list of argument lists; standard output a JSON list of `[exit code, what was printed]`.
"""

import io
import sys
from contextlib import redirect_stderr, redirect_stdout

import msgspec

from gateway.cli import main


def run(commands: list[list[str]]) -> list[tuple[int, str]]:
    """The exit code and the output of each."""
    return [captured(arguments) for arguments in commands]


def captured(arguments: list[str]) -> tuple[int, str]:
    """Of one."""
    output = io.StringIO()
    with redirect_stdout(output), redirect_stderr(output):
        code = main(arguments)
    return code, output.getvalue()


if __name__ == "__main__":
    typed = msgspec.json.decode(sys.stdin.buffer.read(), type=list[list[str]])
    sys.stdout.buffer.write(msgspec.json.encode(run(typed)))
