"""Looks for card numbers in everything that is stored: every file below some folders, as it lies and unpacked.

What was looked at is bound into one hash: RFC 6962's root over a line `sha256 size path` for each file, sorted. A file
of a key is listed and not opened. A file that goes away meanwhile (the log is being written) is no longer stored.
"""

import hashlib
import re
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from gateway.core.blanking import clean_text
from gateway.core.disguised import Kind
from gateway.evidence.keys import MAX_KEY
from gateway.evidence.merkle import leaf_hash, root_of
from gateway.evidence.scan_bytes import CHUNK, places
from gateway.evidence.scan_formats import STREAMS, Content, UnreadError, contents

KEYS: Final = "keys"
"""the folder of a data folder whose keys are listed and not opened; whatever else lies there is"""
_KEY: Final = re.compile(r"log-[0-9]{1,9}\.(key|pub|head)|mac-[0-9]{1,9}\.key")
LINK: Final = "a link, not followed"
LED_AWAY: Final = "a link to what is not looked at: name that too, with --also"
UNLISTED: Final = "a folder that may not be listed"
FINDINGS_MAX: Final = 10_000


class Found(NamedTuple):
    """Something that looks like a card number: where, and how it is written. Never what it is."""

    file: str
    within: str
    """of an unpacked part, what it is called; empty for the file's own bytes"""
    offset: int
    length: int
    kind: Kind


class Passed(NamedTuple):
    """A file that was not looked into, and why."""

    file: str
    why: str


class Scanned(NamedTuple):
    """What was looked at and what was found."""

    files: int
    size: int
    """bytes, as the files lie"""
    unpacked: int
    """bytes that came out of archives, databases and recordings"""
    root: bytes
    lines: tuple[str, ...]
    """`sha256 size path` of each file, sorted: what the root is over"""
    found: tuple[Found, ...]
    total: int
    """found in all; of very many only the first are told"""
    passed: tuple[Passed, ...]
    unread: tuple[Passed, ...]
    gone: int

    @property
    def ok(self) -> bool:
        """Everything was read, and nothing was found."""
        return not self.total and not self.unread


Progress = Callable[[int, int], None]


def scan(
    data_dir: Path | None, also: tuple[Path, ...], key: X25519PrivateKey | None, progress: Progress = lambda _, __: None
) -> Scanned:
    """Look at a data folder, and at other files and folders. Raises OSError for one that is not there."""
    look = _Look(key, progress)
    files = [*([] if data_dir is None else _files(data_dir, data_dir / KEYS)), *_all(also)]
    roots = [path.resolve() for path in (*([] if data_dir is None else [data_dir]), *also)]
    files = [(path, LED_AWAY if why == LINK and _leads_away(path, roots) else why) for path, why in files]
    look.expect(files)
    for path, why in files:
        look.at(path, why)
    return look.result()


def _all(paths: tuple[Path, ...]) -> Iterator[tuple[Path, str]]:
    for path in paths:
        yield from _files(path, None)


def _files(path: Path, keys: Path | None) -> Iterator[tuple[Path, str]]:
    """Every file at or below a path, and why it is not looked into, if so. Links are not followed."""
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        yield path, LINK
    elif stat.S_ISDIR(mode):
        yield from _below(path, keys)
    elif not stat.S_ISREG(mode):
        yield path, "not a file"
    else:
        own = keys is not None and path.parent == keys and _KEY.fullmatch(path.name) is not None
        yield path, "holds a key" if own and path.lstat().st_size <= MAX_KEY else ""


def _leads_away(link: Path, roots: list[Path]) -> bool:
    """Whether something lies behind a link that is not looked at anyway."""
    try:
        target = link.resolve(strict=True)
    except (OSError, RuntimeError):  # nothing, or the link itself
        return False
    special = not (target.is_file() or target.is_dir())
    return not special and not any(target.is_relative_to(root) for root in roots)


def _below(folder: Path, keys: Path | None) -> Iterator[tuple[Path, str]]:
    try:
        inside = sorted(folder.iterdir())
    except PermissionError:
        yield folder, UNLISTED
        return
    for path in inside:
        try:
            yield from _files(path, keys)
        except FileNotFoundError:
            continue


class _Look:
    """One scan under way."""

    def __init__(self, key: X25519PrivateKey | None, progress: Progress) -> None:
        self._key = key
        self._progress = progress
        self._expected = self._done = self._unpacked = self._files = self._bytes = self._total = self._gone = 0
        self._lines: list[str] = []
        self._found: list[Found] = []
        self._passed: list[Passed] = []
        self._unread: list[Passed] = []

    def expect(self, files: list[tuple[Path, str]]) -> None:
        """How much there is to be read, for the progress."""
        for path, why in files:
            try:
                self._expected += 0 if why else path.lstat().st_size
            except FileNotFoundError:
                continue

    def at(self, path: Path, why: str) -> None:
        """Look at one file."""
        name = clean_text(str(path))  # its name is a place to put a number, too
        if name != str(path):
            self._note(Found(name, "its name", 0, len(str(path)), Kind.PLAIN))
        if why in {UNLISTED, LED_AWAY}:
            self._unread.append(Passed(name, why))
            return
        if why:
            self._passed.append(Passed(name, why))
            return
        try:
            self._own(path, name)
            for within, data in contents(path, self._key):
                self._inside(name, (within, data))
        except FileNotFoundError:
            self._gone += 1
        except (UnreadError, OSError) as error:
            text = str(error) if isinstance(error, UnreadError) else f"{error.strerror or type(error).__name__}"
            self._unread.append(Passed(name, text))

    def _own(self, path: Path, name: str) -> None:
        """The bytes as they lie. Raises OSError."""
        hashed, size = hashlib.sha256(), 0
        with path.open("rb", buffering=0) as file:

            def chunks() -> Iterator[bytes]:
                nonlocal size
                while chunk := file.read(CHUNK):
                    hashed.update(chunk)
                    size += len(chunk)
                    self._done += len(chunk)
                    self._progress(self._done, max(self._expected, self._done))
                    yield chunk

            for place in places(chunks()):
                self._note(Found(name, "", *place))
        self._files += 1
        self._bytes += size
        self._lines.append(f"{hashed.hexdigest()} {size} {name}")

    def _inside(self, name: str, content: Content) -> None:
        within, data = content

        def counted() -> Iterator[bytes]:
            for chunk in data:
                self._unpacked += len(chunk)
                yield chunk

        for place in places(counted(), wire=within in STREAMS):
            self._note(Found(name, clean_text(within), *place))

    def _note(self, found: Found) -> None:
        self._total += 1
        if len(self._found) < FINDINGS_MAX:
            self._found.append(found)

    def result(self) -> Scanned:
        """What it came to."""
        lines = sorted(self._lines)
        return Scanned(
            files=self._files,
            size=self._bytes,
            unpacked=self._unpacked,
            root=root_of([leaf_hash(line.encode("utf-8", "replace")) for line in lines]),
            lines=tuple(lines),
            found=tuple(self._found),
            total=self._total,
            passed=tuple(self._passed),
            unread=tuple(self._unread),
            gone=self._gone,
        )
