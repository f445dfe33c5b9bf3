"""Durations, sizes, addresses and store URLs as people write them, and what they mean to the program."""

import re
from ipaddress import ip_address
from pathlib import Path
from typing import Final

_UNITS: Final = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_BYTES: Final = {"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "kB": 10**3, "MB": 10**6, "GB": 10**9}

DURATION_PATTERN: Final = r"^([0-9]{1,9}(us|ms|s|m|h|d))+$"
SIZE_PATTERN: Final = r"^[0-9]{1,12} ?(B|KiB|MiB|GiB|kB|MB|GB)?$"
_PORT: Final = "([0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
ADDRESS_PATTERN: Final = rf"^(\[[0-9A-Fa-f:.]+(%[A-Za-z0-9._-]+)?\]|[A-Za-z0-9._-]+):{_PORT}$"
STORE_PATTERN: Final = r"^((sqlite|file):///[^?#\r\n]+|(postgresql|s3)://.+)$"

_PART: Final = re.compile(r"([0-9]+)(us|ms|s|m|h|d)")
_SIZE: Final = re.compile(r"([0-9]+) ?([A-Za-z]*)")


class Duration(float):
    """A length of time in seconds. Written `250ms`, `15m`, `1h30m`."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> "Duration":
        """Raises ValueError."""
        if not re.fullmatch(DURATION_PATTERN, text):
            raise ValueError("not a duration: write a number and us, ms, s, m, h or d, as in 250ms, 15m, 1h30m")
        return cls(sum(int(count) * _UNITS[unit] for count, unit in _PART.findall(text)))

    @property
    def ns(self) -> int:
        """The same in nanoseconds."""
        return round(self * 1_000_000_000)


class Size(int):
    """A number of bytes. Written `16MiB`, `500kB`, `4096`."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> "Size":
        """Raises ValueError."""
        parts = _SIZE.fullmatch(text)
        if parts is None or not re.fullmatch(SIZE_PATTERN, text):
            raise ValueError("not a size: write a number and B, KiB, MiB, GiB, kB, MB or GB, as in 16MiB")
        return cls(int(parts[1]) * _BYTES[parts[2]])


class Address(str):
    """Where to listen: `127.0.0.1:6432`, `[::1]:6432`, `localhost:6432`."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Raises ValueError."""
        if not re.fullmatch(ADDRESS_PATTERN, text) or (text.startswith("[") and not _is_v6(text)):
            raise ValueError("not an address: write host:port, as in 127.0.0.1:6432 or [::1]:6432")
        return cls(text)

    @property
    def host(self) -> str:
        """The host, without the brackets of an IPv6 address."""
        return self.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """The port; 0 lets the system choose."""
        return int(self.rpartition(":")[2])

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return is_loopback(self.host)


def _is_v6(text: str) -> bool:
    try:
        return ip_address(text[1 : text.index("]")]).version == 6  # noqa: PLR2004 -- IPv6
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by number or as `localhost`. Other names are not resolved: they are not."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class StoreUrl(str):
    """Where a store is: `sqlite:///var/state.db`, `file:///var/objects` (four slashes make the path absolute)."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str, folder: Path) -> "StoreUrl":
        """A local path is taken from `folder`. Raises ValueError."""
        if not re.fullmatch(STORE_PATTERN, text):
            raise ValueError(
                "not a store: write sqlite:///path, file:///path (a fourth slash when the path is absolute), "
                "postgresql://… or s3://…"
            )
        scheme, _, path = text.partition("://")
        if scheme not in {"sqlite", "file"}:
            return cls(text)
        return cls(f"{scheme}:///{folder / path[1:]}")

    @property
    def scheme(self) -> str:
        """`sqlite`, `file`, `postgresql` or `s3`."""
        return self.partition(":")[0]

    @property
    def path(self) -> Path:
        """The local path of a `sqlite` or `file` store."""
        return Path(self.partition(":///")[2])


class Location(str):
    """A file, or an address."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str, folder: Path) -> "Location":
        """A path is taken from `folder`; an address stays as it is. Raises ValueError."""
        if "://" in text and not text.startswith(("https://", "http://")):
            raise ValueError("not a path or an https address")
        return cls(text if "://" in text else str(folder / expanded(text)))

    @property
    def is_url(self) -> bool:
        """Whether it is an address."""
        return self.startswith(("https://", "http://"))

    @property
    def path(self) -> Path:
        """The file."""
        return Path(self)


def expanded(text: str) -> Path:
    """A path with `~` and `~name` replaced. Raises ValueError when there is nobody of that name."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        raise ValueError("there is no such user's folder") from None
