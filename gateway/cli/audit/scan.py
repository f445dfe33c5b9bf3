"""`querywarden audit scan`: looks for card numbers in everything that is stored, and signs what it came to."""

import sys
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cyclopts import Parameter

from gateway.cli.audit.accessing import AsOption, note_access
from gateway.cli.audit.desk import (
    DEFAULT_CONFIG,
    FINE,
    LOG_FOLDER,
    SAYS_NO,
    ConfigOption,
    DataOption,
    JsonOption,
    data_folder,
)
from gateway.cli.audit.progress import Bar
from gateway.cli.audit.words import as_json as written
from gateway.cli.audit.words import printable, rows
from gateway.cli.person import whoami
from gateway.config.sinks import FileSink
from gateway.core.clock import SystemClock
from gateway.core.errors import ConfigError
from gateway.evidence.files import put_file
from gateway.evidence.keys import epochs, load_keys
from gateway.evidence.note import Checkpoint, NoteError, Signer
from gateway.evidence.reader import open_epochs
from gateway.evidence.recording.keys import load_private
from gateway.evidence.scan import Scanned
from gateway.evidence.scan import scan as look
from gateway.evidence.scan_result import Occasion, Result, document, signed
from gateway.evidence.scan_selftest import self_test

SHOWN: Final = 50


@dataclass(frozen=True, kw_only=True)
class What:
    """The options that say what is looked at."""

    also: tuple[Path, ...] = ()
    """Other files and folders: the gateway's own log, core dumps, packages. Files of sinks are known by --config."""
    key: Path | None = None
    """The private key of a recipient of recordings: they are looked into as well. Without it: their ciphertext."""


@dataclass(frozen=True, kw_only=True)
class Where:
    """The options that say what is written."""

    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None
    """Write the signed result here (DSSE), as a package takes it."""
    sign_key: Path | None = None
    """A private key of the log's kind to sign with. Default: the log's own, from the data folder."""
    listing: Annotated[Path | None, Parameter(name="--list")] = None
    """Write a line `sha256 size path` for each file here: what the result's root is over."""


_ALL: Final = What()
_NOWHERE: Final = Where()


def scan(  # noqa: PLR0913 -- each is an option
    *,
    config: ConfigOption = None,
    data: DataOption = None,
    what: Annotated[What, Parameter(name="*")] = _ALL,
    where: Annotated[Where, Parameter(name="*")] = _NOWHERE,
    as_json: JsonOption = False,
    person: AsOption = "",
) -> int:
    """Look for card numbers in everything stored. Exits 1 when there is one, or something could not be read.

    Parameters
    ----------
    config
        The configuration file, which names the data folder. Default: gateway.yaml.
    data
        The data folder itself.
    what
        What is looked at.
    where
        What is written.
    as_json
        Print the result as JSON.
    person
        Who you are, when several people share this account: it is recorded.

    """
    folder = data_folder(config, data)
    also = (*what.also, *(_sinks(config or DEFAULT_CONFIG) if data is None else ()))
    key = load_private(what.key) if what.key is not None else None
    signer = _signer(folder, where) if where.output is not None else None
    result, scanned = scanned_now(folder, also, key, person)
    if (folder / LOG_FOLDER).is_dir():
        note_access(folder, "scan", _asked(also, key), results=result.total, person=person)
    if where.output and signer:
        put_file(where.output, signed(result, signer))
    if where.listing is not None:
        put_file(where.listing, "".join(f"{line}\n" for line in scanned.lines).encode("utf-8", "replace"))
    sys.stdout.write(written(result) if as_json else in_words(result))
    return FINE if result.ok else SAYS_NO


def _asked(also: tuple[Path, ...], key: X25519PrivateKey | None) -> dict[str, object]:
    return {"also": " ".join(map(str, also)), "recordings": key is not None}


def scanned_now(
    folder: Path, also: tuple[Path, ...], key: X25519PrivateKey | None, person: str
) -> tuple[Result, Scanned]:
    """Try the scanner, then look, also where older leaves were moved to. Raises OSError."""
    clock, also = SystemClock(), tuple(dict.fromkeys((*also, *_archives(folder))))
    started, tested = clock.now_ns(), self_test()
    bar = Bar(sys.stderr, clock, "bytes")
    try:
        found = look(folder, also, key, bar)
    finally:
        bar.clear()
    occasion = Occasion(
        started_ns=started,
        ended_ns=clock.now_ns(),
        by=f"{person} ({whoami()})" if person else whoami(),
        scope=tuple(str(path.absolute()) for path in (folder, *also)),
        with_recordings=key is not None,
        version=version("querywarden"),
        checkpoint=_checkpoint(folder),
    )
    return document(found, tested, occasion), found


def _archives(folder: Path) -> list[Path]:
    """Where leaves that are no longer hot lie; what is not there `audit verify` names."""
    found = []
    for reader in open_epochs(folder):
        try:
            if reader.archive is not None and reader.archive.exists():
                found.append(reader.archive)
        except (OSError, ValueError):
            continue
    return found


def _sinks(config: Path) -> list[Path]:
    """The files of the configuration's `file` sinks, full ones that were renamed too. Raises ConfigError."""
    from gateway.config.load import load  # noqa: PLC0415 -- slow to import, and --data needs none of it

    paths = [sink.path for sink in load(config).evidence.sinks if isinstance(sink, FileSink)]
    return [
        each for path in paths for each in (*path.parent.glob(f"{path.stem}-*{path.suffix}"), path) if each.exists()
    ]


def _checkpoint(folder: Path) -> Checkpoint | None:
    """The newest one; None when there is no log, or none that can be read: `audit verify` is for that."""
    try:
        readers = open_epochs(folder)
        return readers[-1].checkpoint if readers else None
    except (OSError, ValueError):
        return None


def _signer(folder: Path, where: Where) -> Signer:
    """The key that was given, or the log's own. Raises ConfigError, OSError."""
    try:
        if where.sign_key is not None:
            return Signer.decode(where.sign_key.read_text("ascii"))
        newest = max(epochs(folder / "keys"), default=0)
        if newest:
            return load_keys(folder / "keys", newest).signer
    except (NoteError, ValueError):
        raise ConfigError("config.invalid", f"{where.sign_key or folder / 'keys'}: not a key of a log") from None
    raise ConfigError("config.invalid", "no key to sign with is in the data folder; --sign-key takes one")


def in_words(result: Result) -> str:
    """What a person reads: what was looked at, each finding, and one last line."""
    scanner = result.scanner
    head = [
        ("scanned", printable(", ".join(result.scope))),
        ("", f"{result.files:,} files, {result.bytes:,} bytes, and {result.unpacked:,} bytes that were packed in them"),
        ("root", result.root),
        ("scanner", f"{scanner.name} {scanner.version}: {scanner.found} of {scanner.planted} planted numbers found"),
    ]
    if scanner.missed:
        head.append(("", f"MISSED: {', '.join(scanner.missed)}"))
    if not result.with_recordings:
        head.append(("recordings", "as they are encrypted; --key looks into them"))
    head += [("not opened", f"{printable(each.file)}: {each.why}") for each in result.passed[:SHOWN]]
    lines = [f"UNREAD  {printable(each.file)}: {each.why}\n" for each in result.unread[:SHOWN]]
    for each in result.findings[:SHOWN]:
        within = f", in {printable(each.within)}" if each.within else ""
        lines.append(
            f"FOUND   {printable(each.file)}{within}: at byte {each.offset:,}, {each.length} long, {each.kind}\n"
        )
    if result.total > SHOWN:
        lines.append(f"        {result.total - SHOWN:,} more; --json has them\n")
    return rows(head) + "".join(lines) + _last_line(result)


def _last_line(result: Result) -> str:
    if result.ok:
        return "clean: no card number is stored.\n"
    parts = [f"{result.total:,} places that look like a card number"] if result.total else []
    parts += [f"{len(result.unread):,} files that could not be read"] if result.unread else []
    parts += (
        ["a scanner that does not pass its own test"] if result.scanner.missed or result.scanner.false_alarms else []
    )
    return f"NOT clean: {', '.join(parts)}.\n"
