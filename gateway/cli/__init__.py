"""The command line: one module a command, imported only when its command is used.

Exit codes: 0 done, 1 the check says no, 2 usage or configuration, 3 a dependency is not reachable, 70 a bug of ours.
Errors are short sentences on stderr; `QUERYWARDEN_DEBUG=1` adds the traceback of a bug.
"""

import os
import sys
import traceback
from collections.abc import Sequence
from importlib.metadata import version
from importlib.util import find_spec

import cyclopts

from gateway.core.errors import ConfigError, GatewayError, Unavailable

DONE, SAYS_NO, USAGE, UNREACHABLE, BUG, INTERRUPTED = 0, 1, 2, 3, 70, 130

COMMANDS = {
    "demo": ("gateway.cli.demo:demo", "A real PostgreSQL behind the gateway, with nothing to configure."),
    "serve": ("gateway.cli.serve:serve", "Run the gateway."),
    "check": ("gateway.cli.check:check", "Validate a configuration: every error at once, file and line."),
    "doctor": ("gateway.cli.doctor:doctor", "Probe the live parts: databases, keys, bundle, clock, disk."),
    "policy": ("gateway.cli.policy:app", "The life of a policy bundle."),
    "audit": ("gateway.cli.audit:app", "The auditor's desk: explain, search, prove, verify."),
    "keys": ("gateway.cli.keys:app", "Keys of those who read recordings."),
    "token": ("gateway.cli.token:token", "A token of the development issuer."),
}

app = cyclopts.App(
    name="querywarden",
    help="A policy-as-code gateway between AI agents and databases that hold card data.",
    version=lambda: version("querywarden"),
    exit_on_error=False,
    error_formatter=lambda error: f"querywarden: {error}",
    result_action="return_value",
)
app.register_install_completion_command()
for _name, (_target, _help) in COMMANDS.items():
    if find_spec(_target.partition(":")[0]):  # a command that is not written yet is not offered
        app.command(_target, name=_name, help=_help)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    try:
        result = app(list(sys.argv[1:] if arguments is None else arguments))
    except cyclopts.CycloptsError:
        return USAGE  # cyclopts has printed what is wrong
    except (KeyboardInterrupt, Exception) as error:  # noqa: BLE001 -- a person gets a sentence, not a traceback
        sentence, code = ending(error)
        if code == BUG and os.environ.get("QUERYWARDEN_DEBUG"):
            traceback.print_exc()
        print(f"querywarden: {_harmless(sentence)}", file=sys.stderr)
        return code
    return result if isinstance(result, int) else DONE


def _harmless(text: str) -> str:
    """The text with every character that could move a cursor shown as an escape: names and paths may be anybody's."""
    return "".join(c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text)


def ending(error: BaseException) -> tuple[str, int]:
    """What to tell a person about the error that ended a command, and the exit code."""
    match error:
        case GatewayError():
            return error.detail or error.entry.message, exit_code(error)
        case ModuleNotFoundError(name=str(missing)) if not missing.startswith("gateway"):
            return f"{missing} is not installed; querywarden[demo] brings what the demo needs", USAGE
        case FileNotFoundError() | FileExistsError() | IsADirectoryError() | NotADirectoryError():
            return f"{error.filename}: {error.strerror}", USAGE
        case OSError():
            named = f"{error.filename}: " if error.filename else ""
            return f"{named}{error.strerror or type(error).__name__}", UNREACHABLE
        case KeyboardInterrupt():
            return "interrupted", INTERRUPTED
    return f"a bug of ours: {type(error).__name__}; QUERYWARDEN_DEBUG=1 says where", BUG


def exit_code(error: GatewayError) -> int:
    """The exit code of an error that ended a command."""
    match error:
        case ConfigError():
            return USAGE
        case Unavailable():
            return UNREACHABLE
    return SAYS_NO
