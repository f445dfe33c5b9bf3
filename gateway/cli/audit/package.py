"""`querywarden audit verify --package`: the verifier that lies in every package, run from here."""

import sys
from pathlib import Path

from gateway.cli.audit.progress import Bar
from gateway.cli.audit.words import as_json as written
from gateway.core.clock import SystemClock
from gateway.core.errors import ConfigError
from gateway.evidence.package.verifier.command import as_document, in_words, verify_package
from gateway.evidence.package.verifier.findings import Broken


def check_package(path: Path, key: Path | None, witnesses: tuple[str, ...], seed: str, *, as_json: bool) -> int:
    """0: everything holds, 1: something was changed, 2: something is missing. Raises ConfigError, OSError."""
    bar = Bar(sys.stderr, SystemClock(), "leaves")
    try:
        keys = [key.read_text("utf-8")] if key else []
        found = verify_package(path, keys, list(witnesses), seed, bar)
    except (Broken, UnicodeDecodeError):
        raise ConfigError("config.invalid", "a key that was given is no public key of a log or a witness") from None
    finally:
        bar.clear()
    sys.stdout.write(written(as_document(found)) if as_json else in_words(found))
    return found.code
