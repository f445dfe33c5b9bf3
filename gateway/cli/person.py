"""Who types a command, as this machine knows them."""

import os
import pwd


def whoami() -> str:
    """The account, and who became it by sudo."""
    try:
        account = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user may have no name
        account = f"uid {os.getuid()}"
    before = os.environ.get("SUDO_USER", "")
    return f"{before} as {account}" if before and before != account else account
