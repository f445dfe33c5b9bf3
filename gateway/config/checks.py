"""What no single setting can tell: settings that contradict each other, files that are not there, parts not built yet.

Each check takes one section and yields findings; a finding that does not stop the gateway is a warning. Nothing here
connects to anything (`doctor` does).
"""

import shutil
import ssl
import stat
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from gateway.config import settings as s
from gateway.config.document import Place
from gateway.config.quantities import Duration, Size, is_loopback
from gateway.config.secret import Secret
from gateway.core.errors import ConfigError
from gateway.evidence.recording.keys import load_recipient

YEAR: Final = Duration(365 * 86_400)
NOT_YET: Final = "not available in this version"
_WORLD: Final = stat.S_IROTH | stat.S_IWOTH
_MESSAGE: Final = (Size(64 << 10), Size(1 << 30))
_CHECKPOINT: Final = (Duration(0.1), Duration(3600))


class Remark(NamedTuple):
    """Something wrong at a place of the document; or, as a warning, only worth knowing."""

    place: Place
    text: str
    warning: bool = False


def check_listeners(listeners: s.Listeners) -> Iterator[Remark]:
    """TLS unless loopback, files that fit together, an address once."""
    if not listeners.for_postgres:
        yield Remark(("listeners",), "no postgres listener: nothing would be served")
    if listeners.mysql is not None:
        yield Remark(("listeners", "mysql"), NOT_YET)
    alone = isinstance(listeners.postgres, s.Listener)
    places = [("listeners", "postgres", *(() if alone else (index,))) for index in range(len(listeners.for_postgres))]
    for place, listener in zip(places, listeners.for_postgres, strict=True):
        yield from _check_listener(listener, place)
    if listeners.http is not None:
        yield from _check_listener(listeners.http, ("listeners", "http"))
    listening = [*listeners.for_postgres, *([listeners.http] if listeners.http is not None else [])]
    for address, times in Counter(each.address for each in listening if each.address.port).items():
        if times > 1:
            yield Remark(("listeners", "postgres"), f"{address} is used by {times} listeners")


def _check_listener(listener: s.Listener, place: Place) -> Iterator[Remark]:
    tls = listener.tls
    if tls is None and not listener.insecure_loopback:
        yield Remark(place, "no tls: tokens travel as passwords; give tls, or insecure_loopback: true on loopback")
    if tls is None and listener.insecure_loopback and not listener.address.is_loopback:
        yield Remark((*place, "insecure_loopback"), "the address is not loopback: without tls others could read tokens")
    if tls is None:
        return
    found = [
        *check_file(tls.cert, (*place, "tls", "cert")),
        *check_file(tls.key, (*place, "tls", "key"), private=True),
    ]
    yield from found
    if not found:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tls.cert, tls.key, password=lambda: "")
        except (ssl.SSLError, OSError, ValueError):
            yield Remark((*place, "tls"), "certificate and key cannot be read, or do not belong together")


def check_connection(connection: s.Connection, name: str) -> Iterator[Remark]:
    """A database we can speak to, with a pinned search path and sane limits."""
    place: Place = ("connections", name)
    if connection.type != "postgres":
        yield Remark((*place, "type"), f"{connection.type} is {NOT_YET}")
    if connection.password is not None:
        yield from check_secret(connection.password, (*place, "password"))
    if connection.tls.ca is not None:
        yield from check_authority(connection.tls.ca, (*place, "tls", "ca"))
    if connection.tls.channel_binding == "require" and connection.tls.mode == "disable":
        yield Remark((*place, "tls"), "channel_binding: require needs TLS, which mode disable leaves out")
    if connection.tls.mode != "verify-full" and not is_loopback(connection.host):
        yield Remark((*place, "tls"), f"mode {connection.tls.mode} does not prove whom we speak to", warning=True)
    for index, schema in enumerate(connection.search_path):
        if schema.startswith(("$", "pg_temp")):
            yield Remark((*place, "search_path", index), "names another schema in each session, so nothing is pinned")
    yield from _check_limits(connection.limits, (*place, "limits"))


def _check_limits(limits: s.Limits, place: Place) -> Iterator[Remark]:
    if limits.idle_timeout <= 0:
        yield Remark((*place, "idle_timeout"), "must be more than nothing")
    if limits.session_max <= 0:
        yield Remark((*place, "session_max"), "must be more than nothing")
    if not _MESSAGE[0] <= limits.message_max <= _MESSAGE[1]:
        yield Remark((*place, "message_max"), "must be between 64KiB and 1GiB")


def check_approvals(approvals: s.Approvals, written: Mapping[str, object]) -> Iterator[Remark]:
    """People cannot answer yet."""
    if approvals.notify:
        yield Remark(("approvals", "notify"), NOT_YET)
    elif written:
        yield Remark(("approvals",), f"approvals are {NOT_YET}: what needs one is denied", warning=True)


def check_evidence(evidence: s.Evidence, written: Mapping[str, object]) -> Iterator[Remark]:
    """What is written must be kept as it says."""
    yield from check_recording(evidence.recording)
    if not _CHECKPOINT[0] <= evidence.checkpoint_interval <= _CHECKPOINT[1]:
        yield Remark(("evidence", "checkpoint_interval"), "must be between 100ms and 1h")
    if evidence.retention.hot > evidence.retention.total:
        yield Remark(("evidence", "retention"), "hot is longer than total")
    elif "retention" in written and evidence.retention.total < YEAR:
        text = "PCI DSS 10.5.1 wants twelve months; what is older than this is pruned"
        yield Remark(("evidence", "retention", "total"), text, warning=True)


def check_recording(recording: s.Recording) -> Iterator[Remark]:
    """Recipients whose keys are public ones, and somebody who can read what is kept in full."""
    place: Place = ("evidence", "recording")
    if recording.content == "full" and not recording.recipients:
        yield Remark((*place, "content"), "nobody could read it: give recipients; until then `shape`", warning=True)
    for index, path in enumerate(recording.recipients):
        found = list(check_file(path, (*place, "recipients", index)))
        yield from found
        if not found:
            try:
                load_recipient(path)
            except ConfigError as error:
                yield Remark((*place, "recipients", index), error.detail)


def check_stores(stores: s.Stores) -> Iterator[Remark]:
    """Only this machine's stores so far."""
    for name, store, kind in (("state", stores.state, "sqlite"), ("objects", stores.objects, "file")):
        if store is not None and store.scheme != kind:
            yield Remark(("stores", name), f"{store.scheme} is {NOT_YET} here; write {kind}:///path")


def check_data_dir(path: Path) -> Iterator[Remark]:
    """Keys lie in it: nobody else may look in."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        yield Remark(("data_dir",), error.strerror or "cannot be looked at")
        return
    if not stat.S_ISDIR(mode):
        yield Remark(("data_dir",), "is not a folder")
    elif mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield Remark(("data_dir",), "others may read this folder: chmod 700", warning=True)


def is_file(path: Path) -> bool:
    """Whether there is a file; a name that no file can have names none."""
    try:
        return path.is_file()
    except OSError:
        return False


def check_secret(secret: Secret, place: Place) -> Iterator[Remark]:
    """That a reference leads somewhere; the secret itself is not read."""
    if secret.file is not None:
        yield from check_file(secret.file, (*place, "file"), private=True)
    if secret.command is not None and shutil.which(secret.command[0]) is None:
        yield Remark((*place, "command"), "there is no such program")


def check_authority(path: Path, place: Place) -> Iterator[Remark]:
    """A file that certificates are verified by: it must hold some."""
    found = list(check_file(path, place))
    yield from found
    if not found:
        try:
            ssl.create_default_context(cafile=path)
        except (OSError, ValueError):
            yield Remark(place, f"{path}: no certificates in PEM form can be read there")


def check_file(path: Path, place: Place, *, private: bool = False) -> Iterator[Remark]:
    """A file we can read; when it is `private`, not everybody can."""
    try:
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):  # opening a pipe would wait for its writer
            yield Remark(place, f"{path}: not a file")
            return
        with path.open("rb"):
            pass
    except OSError as error:
        yield Remark(place, f"{path}: {error.strerror}")
        return
    if private and mode & _WORLD:
        yield Remark(place, f"{path}: everybody on this machine may read it: chmod 600")
