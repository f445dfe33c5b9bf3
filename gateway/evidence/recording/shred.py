"""Destroys the wrapped data key of a recording: then nobody can read it, wherever copies of the recording lie.

The recording itself stays, so that the log goes on to prove what was sealed. Copies of the key file (backups) are for
whoever made them to destroy.
"""

import os
from pathlib import Path

from gateway.evidence.files import sync_folder
from gateway.evidence.recording.places import key_path


def destroy_key(recording: Path) -> bool:
    """Overwrite and remove the key file; False when it is gone already. Raises OSError."""
    path = key_path(recording)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    try:
        os.pwrite(descriptor, bytes(os.fstat(descriptor).st_size), 0)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    path.unlink()
    sync_folder(path.parent)
    return True
