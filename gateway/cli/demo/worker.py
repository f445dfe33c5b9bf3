"""The demo's gateway process: `serve`, but the demo's signing key, which everybody has, is taken."""

import sys
from pathlib import Path

from gateway.cli.serve import run
from gateway.config.load import load


def main(arguments: list[str]) -> int:
    """Serve the configuration that is named."""
    return run(load(Path(arguments[0])), accept_demo=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
