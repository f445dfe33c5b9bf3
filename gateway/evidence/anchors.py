"""The time-stamps of a log as files, each beside the checkpoint it is over, so that anybody can verify it with openssl.

data_dir/log/<epoch>/anchors/<time>-<leaves>-<authority>.checkpoint and .tsr

`openssl ts -verify -in X.tsr -data X.checkpoint -CAfile roots.pem` says the same as `audit verify` does.
"""

import datetime as dt
import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from gateway.evidence.files import put_file, read_file

FOLDER: Final = "anchors"
_NAME: Final = re.compile(r"([0-9]{8}T[0-9]{6}Z)-([0-9]{1,19})-([0-9a-f]{8})")
_FORMAT: Final = "%Y%m%dT%H%M%SZ"
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
MAX_FILE: Final = 1 << 20


class Anchor(NamedTuple):
    """One time-stamp. Nothing of it is verified."""

    name: str
    checkpoint: bytes
    token: bytes


def authority_id(url: str) -> str:
    """What an authority is called in names of files."""
    return hashlib.sha256(url.encode()).hexdigest()[:8]


def keep_anchor(prefix: Path, url: str, at_ns: int, size: int, anchor: tuple[bytes, bytes]) -> str:
    """Put checkpoint and token there, durable; their name. Raises OSError."""
    at = _EPOCH + dt.timedelta(microseconds=at_ns // 1000)
    name = f"{at:{_FORMAT}}-{size}-{authority_id(url)}"
    for ending, data in zip(("checkpoint", "tsr"), anchor, strict=True):  # without its token a checkpoint is nothing
        put_file(prefix / FOLDER / f"{name}.{ending}", data, sync=True)
    return name


def anchors_of(prefix: Path) -> Iterator[Anchor]:
    """Every time-stamp, the oldest first. What is missing or cannot be read is empty."""
    for path in sorted((prefix / FOLDER).glob("[!.]*.tsr")):
        beside = path.with_suffix(".checkpoint")
        yield Anchor(path.stem, _read_any(beside), _read_any(path))


def missing(prefix: Path, named: Mapping[str, str]) -> Iterator[tuple[str, bool]]:
    """(file, whether it is there at all) of what `named`, token's `sha256:` by name, says and is not so here."""
    for name, token in sorted(named.items()):
        if _NAME.fullmatch(name) is None:  # of an older layout, or none of ours: it is no file's name
            continue
        try:
            found = f"sha256:{hashlib.sha256(_read(prefix / FOLDER / f'{name}.tsr')).hexdigest()}"
        except OSError:
            found = ""
        if found != token:
            yield f"{FOLDER}/{name}.tsr", bool(found)
        elif not (prefix / FOLDER / f"{name}.checkpoint").is_file():
            yield f"{FOLDER}/{name}.checkpoint", False


def last_anchored(prefix: Path, url: str) -> int:
    """When this authority stamped the log last, in nanoseconds since 1970 by the names of files; 0 for never."""
    names = (_NAME.fullmatch(path.stem) for path in (prefix / FOLDER).glob("[!.]*.tsr"))
    return max((_seconds(found[1]) for found in names if found and found[3] == authority_id(url)), default=0) * 10**9


def _seconds(name: str) -> int:
    """Since 1970, of the time in a name; 0 for what is no time."""
    try:
        at = dt.datetime.strptime(name, _FORMAT).replace(tzinfo=dt.UTC)
    except ValueError:
        return 0
    return (at - _EPOCH) // dt.timedelta(seconds=1)


def _read_any(path: Path) -> bytes:
    """Nothing for what cannot be read: it is named as what holds no time-stamp, and does not hide the others."""
    try:
        return _read(path)
    except OSError:
        return b""


def _read(path: Path) -> bytes:
    return read_file(path, MAX_FILE)[:MAX_FILE]
