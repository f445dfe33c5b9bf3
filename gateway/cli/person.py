"""Who types a command, as this machine knows them; and root, who leaves no files that a gateway could not write to."""

import codecs
import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

LATE: Final = ("ascii", "utf-16be", "unicode_escape", "latin-1", "idna")
"""encodings that are needed while another account acts"""


def whoami() -> str:
    """The account, and who became it by sudo."""
    try:
        account = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user may have no name
        account = f"uid {os.getuid()}"
    before = os.environ.get("SUDO_USER", "")
    return f"{before} as {account}" if before and before != account else account


@contextmanager
def as_owner(folder: Path) -> Iterator[None]:
    """Write below a folder as whoever owns it, when root types: what root left there, its gateway could not go on with.

    Raises OSError.
    """
    owner = folder.stat()
    if os.geteuid() != 0 or owner.st_uid == 0:
        yield
        return
    for name in LATE:  # Python reads these when they are first used, and the owner may not be able to read Python
        codecs.lookup(name)
    group = os.getegid()
    os.setegid(owner.st_gid)
    os.seteuid(owner.st_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
