"""Our own machine: room and speed of the disk evidence goes to, certificates, and who else watches the log."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cryptography import x509

from gateway.cli.doctor.result import Result, Status
from gateway.config.settings import Settings
from gateway.core.clock import Clock
from gateway.core.ids import random_bytes
from gateway.evidence.files import create_file

LEAST_FREE: Final = 1 << 30
"""bytes; evidence that cannot be written stops the gateway"""
SLOW_MS: Final = 50.0
SOON_DAYS: Final = 14
_MS: Final = 1_000_000


def disk(folder: Path, clock: Clock) -> Result:
    """Whether evidence can be written, how much, and how long a sync takes. Leaves nothing behind."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    about = str(folder)
    if not os.access(there, os.W_OK | os.X_OK):
        return Result(
            probe="disk",
            about=about,
            status=Status.NO,
            text=f"we may not write to {there}",
            remedy="Give the folder to the gateway's user.",
        )
    free = shutil.disk_usage(there).free
    size = f"{free / (1 << 30):.1f} GiB free"
    if free < LEAST_FREE:
        remedy = "Make room: without evidence nothing is forwarded."
        return Result(probe="disk", about=about, status=Status.NO, text=size, remedy=remedy)
    if there != folder:
        return Result(probe="disk", about=about, status=Status.FINE, text=f"{size}; made at the first start")
    try:
        taken = _sync_ms(folder, clock)
    except OSError as error:
        text = f"a file cannot be written: {error.strerror}"
        return Result(probe="disk", about=about, status=Status.NO, text=text, remedy="Look at the file system.")
    slow = taken > SLOW_MS
    return Result(
        probe="disk",
        about=about,
        status=Status.NOTE if slow else Status.FINE,
        text=f"{size}, a sync takes {taken:.1f} ms",
        remedy="Agents wait for this disk when they touch protected data; take a faster one." if slow else "",
    )


def _sync_ms(folder: Path, clock: Clock) -> float:
    path = folder / f".doctor.{random_bytes(6).hex()}"
    started = clock.monotonic_ns()
    try:
        create_file(path, b"written by querywarden doctor\n")
        return (clock.monotonic_ns() - started) / _MS
    finally:
        path.unlink(missing_ok=True)


def certificates(settings: Settings, clock: Clock) -> Iterator[Result]:
    """Until when each listener's certificate holds."""
    for listener in settings.listeners.for_postgres:
        if listener.tls is None:
            continue
        about = str(listener.tls.cert)
        try:
            end = x509.load_pem_x509_certificates(listener.tls.cert.read_bytes())[0].not_valid_after_utc
        except (OSError, ValueError) as error:
            text = f"cannot be read: {type(error).__name__}"
            yield Result(probe="certificate", about=about, status=Status.NO, text=text)
            continue
        days = (end.timestamp() * 1_000_000_000 - clock.now_ns()) / (86_400 * 1_000_000_000)
        status = Status.NO if days <= 0 else Status.NOTE if days < SOON_DAYS else Status.FINE
        yield Result(
            probe="certificate",
            about=about,
            status=status,
            text=f"{'ended' if days <= 0 else 'holds until'} {end:%Y-%m-%d %H:%M}Z",
            remedy="" if status is Status.FINE else "Replace the file; the next handshake reads it again.",
        )
