"""A tampering proof: one byte of one record is changed in a copy of the log, and `audit verify` names it."""

import contextlib
import re
import shutil
from pathlib import Path

from gateway.cli.demo.commands import typed
from gateway.cli.demo.scene import Scene
from gateway.cli.demo.stage import Stage

COPY = "var-changed"
PARTS = ("keys", "log/*/wal", "log/*/checkpoint", "log/*/tile", "objects", "recordings")
"""in the order in which a verifier reads them: each covers what the writer added after the one before"""
SECRETS = "*.key"
UNFINISHED = ".*"
"""files that get their names when they are whole"""
TIME = re.compile(rb'"t":"\d+(\d)"')


def caught(stage: Stage, did: str) -> Scene:
    """Change when a decision happened, by a nanosecond, and verify with the key that lies elsewhere."""
    original, copy = stage.folder / "var", stage.folder / COPY
    copied(original, copy)
    keys = sorted((original / "keys").glob("log-*.pub"))
    arguments = ("audit", "verify", "--data", COPY, "--key", f"var/keys/{keys[-1].name}" if keys else "none")
    before, said_before = stage.command(*arguments)
    changed = change(copy, did)
    code, said = stage.command(*arguments)
    untouched = f"the copy as it is: exit code {before}\n" if before == 0 else said_before
    return Scene(
        title="Somebody changes one byte of that record, in a copy of the log", sent=typed(*arguments),
        came=f"{untouched}{changed or 'nothing was changed'}; verified again: exit code {code}\n\n{said}",
        claim="one changed byte is caught, and the record it stands in is named",
        holds=before == 0 and code == 1 and bool(changed) and "NOT verified" in said and leaf_named(said),
    )  # fmt: skip


def copied(original: Path, copy: Path) -> None:
    """What a verifier needs of a log that may be written meanwhile. No private key is copied."""
    shutil.rmtree(copy, ignore_errors=True)
    for pattern in PARTS:
        for part in sorted(original.glob(pattern)):
            target = copy / part.relative_to(original)
            target.parent.mkdir(parents=True, exist_ok=True)
            if part.is_dir():
                kept = shutil.ignore_patterns(SECRETS, UNFINISHED)
                shutil.copytree(part, target, ignore=kept, copy_function=_copy)
            else:
                shutil.copyfile(part, target)


def _copy(source: str, target: str) -> None:
    """Copy a file unless it is gone: the writer has put another in its place, which is copied too."""
    with contextlib.suppress(FileNotFoundError):
        shutil.copyfile(source, target)


def change(data: Path, did: str) -> str:
    """Change the last digit of the time in a decision's leaf; says where, or nothing when there is no such leaf."""
    path = newest_with(data, did.encode())
    if path is None:
        return ""
    content = path.read_bytes()
    place = content.index(did.encode())
    digit = next((found for found in TIME.finditer(content) if found.start() > place), None)
    if digit is None:
        return ""
    at = digit.start(1)
    path.write_bytes(content[:at] + (b"1" if content[at : at + 1] != b"1" else b"2") + content[at + 1 :])
    return f"byte {at} of {path.relative_to(data)} changed"


def newest_with(data: Path, text: bytes) -> Path | None:
    """The fullest bundle of leaves that holds a text: smaller ones were written before it and count no more."""
    found = [path for path in data.glob("log/*/tile/entries/**/*") if path.is_file() and text in path.read_bytes()]
    return max(found, key=lambda path: path.stat().st_size, default=None)


def leaf_named(said: str) -> bool:
    """True when a grave finding names a leaf."""
    return re.search(r"^GRAVE .* leaf \d+:", said, re.MULTILINE) is not None
