"""`querywarden audit shred`: destroys the key of a session's recording, recorded in the log before it is done."""

import sys
import time
from pathlib import Path

from gateway.cli.audit.accessing import AsOption, note_shred
from gateway.cli.audit.desk import DEFAULT_CONFIG, FINE, ConfigOption, DataOption, Unreadable, data_folder
from gateway.cli.audit.words import printable
from gateway.cli.person import as_owner
from gateway.config.load import load
from gateway.config.settings import Retention
from gateway.core.clock import SystemClock
from gateway.core.errors import ConfigError, Refused
from gateway.evidence.reader import open_epochs
from gateway.evidence.recording.format import RecordingError
from gateway.evidence.recording.places import begun_ns, key_path, recording_path
from gateway.evidence.recording.shred import destroy_key

_DAY_NS = 86_400 * 10**9
LOOK_SECONDS = 0.05
SIGNED_SECONDS = 10.0


def shred(  # noqa: PLR0913 -- each is an option
    session: str,
    /,
    *,
    reason: str,
    legal_reason: str = "",
    config: ConfigOption = None,
    data: DataOption = None,
    person: AsOption = "",
) -> int:
    """Destroy the key of a session's recording for good. Nobody can read it then; the log still proves it was there.

    Parameters
    ----------
    session
        The session's id.
    reason
        Why: it is recorded.
    legal_reason
        The law or order for which it must go before `retention.total`: it is recorded.
    config
        The configuration file, which names the data folder and how long evidence is kept. Default: gateway.yaml.
    data
        The data folder itself; then evidence is kept for as long as without a setting.
    person
        Who you are, when several people share this account.

    """
    if not reason.strip():
        raise ConfigError("config.invalid", "--reason: say why")
    folder = data_folder(config, data)
    path = _recording(folder, session)
    if not key_path(path).exists():
        sys.stdout.write(f"the key of {session} is gone already; `audit verify` says whether the log tells why\n")
        return FINE
    if not legal_reason.strip():
        _refuse_young(session, _kept(config, data))
    note_shred(folder, session, reason, legal=legal_reason, person=person)
    return _destroy(folder, path)


def _destroy(folder: Path, path: Path) -> int:
    """Once what is in the log now is signed, for only that excuses a key that is gone: a second, seldom more."""
    newest = open_epochs(folder)[-1]
    size = max(newest.wal_leaves(), default=-1) + 1
    until = time.monotonic() + SIGNED_SECONDS
    while newest.again().checkpoint.size < size and time.monotonic() < until:
        time.sleep(LOOK_SECONDS)
    with as_owner(folder):
        destroy_key(path)
    sys.stdout.write(f"the key of {path.stem} is destroyed, and the log says so\n")
    return FINE


def _recording(folder: Path, session: str) -> Path:
    """Where it is. Raises Unreadable when there is none."""
    try:
        path = recording_path(folder, session)
    except RecordingError as error:
        raise Unreadable("recording.unknown", f"{printable(session)}: {error}") from None
    if not path.exists():
        raise Unreadable("recording.unknown", f"{printable(session)}: there is no recording of this session")
    return path


def _refuse_young(session: str, kept_ns: int) -> None:
    """Raises Refused for a recording that has to be kept."""
    age_ns = SystemClock().now_ns() - begun_ns(session)
    if age_ns < kept_ns:
        text = f"it is {age_ns // _DAY_NS} days old and kept for {kept_ns // _DAY_NS}; --legal-reason says why not"
        raise Refused("recording.retained", text)


def _kept(config: Path | None, data: Path | None) -> int:
    """How long evidence is kept, in nanoseconds."""
    retention = Retention() if data is not None else load(config or DEFAULT_CONFIG).evidence.retention
    return retention.total.ns
