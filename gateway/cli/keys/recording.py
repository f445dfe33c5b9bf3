"""`querywarden keys recording`: the key pair of a recipient of recordings, as two PEM files."""

import os
import sys
from pathlib import Path

from gateway.cli.audit.desk import FINE, JsonOption
from gateway.cli.audit.words import as_json as written
from gateway.cli.audit.words import printable, rows
from gateway.evidence.recording.keys import fingerprint, make_private, private_key, public_of


def recording(output: Path, /, *, as_json: JsonOption = False) -> int:
    """Make OUTPUT (private, for its owner only) and OUTPUT.pub. Neither may exist.

    The gateway gets the public one (`evidence.recording.recipients`) and can never read what it has written. Keep the
    private one away from it; without it nobody can read the recordings.

    Parameters
    ----------
    output
        Where the private key is written.
    as_json
        Print what was made as JSON.

    """
    public = output.with_name(f"{output.name}.pub")
    private = make_private()
    _create(public, public_of(private), 0o644)
    try:
        _create(output, private, 0o600)
    except OSError:
        public.unlink()
        raise
    facts = {"private": str(output), "public": str(public)}
    facts |= {"fingerprint": fingerprint(private_key(private).public_key()), "algorithm": "X25519"}
    sys.stdout.write(written(facts) if as_json else rows([(name, printable(text)) for name, text in facts.items()]))
    return FINE


def _create(path: Path, content: bytes, mode: int) -> None:
    """A file that did not exist, with its rights from its first byte on."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
