"""The receivers of sinks: whether each could take events now, asked as the gateway would."""

from pathlib import Path
from typing import Final

from gateway.cli.doctor.result import Result, Status
from gateway.config.forwarding import receiver_of
from gateway.config.sinks import Sink
from gateway.core.clock import Clock
from gateway.evidence.sinks.answers import Later, Refused, Taken

PROBE: Final = "sink"
_REMEDIES: Final = {
    "certificate": "Compare its certificate, its name and `tls.ca`.",
    "syslog.unsigned_end": "The receiver ends TLS without close_notify: use rsyslog's driver `ossl`, or unsigned_end.",
    "splunk.no_ack_id": "Enable indexer acknowledgement for the token, or set acknowledge: false.",
    "config.secret": "Look at the reference of its secret.",
}
_AWAY: Final = (
    "ConnectorError",
    "TimeoutError",
    "ConnectionRefusedError",
    "NewConnectionError",
    "gaierror",
    "MaxRetry",
)


async def look(sink: Sink, clock: Clock, data_dir: Path) -> Result:
    """Connect, and send nothing that is an event."""
    receiver = receiver_of(sink, clock, data_dir)
    try:
        answer = await receiver.probe()
    finally:
        await receiver.close()
    match answer:
        case Taken():
            return Result(probe=PROBE, about=sink.name, status=Status.FINE, text="takes events")
        case Later() | Refused():
            away = any(word in answer.reason for word in _AWAY)
            remedy = next((text for word, text in _REMEDIES.items() if word in answer.reason), "")
            return Result(
                probe=PROBE,
                about=sink.name,
                status=Status.UNREACHABLE if away else Status.NO,
                text=f"does not take events: {answer.reason}",
                remedy=remedy or "Look at its address and at the receiver's own log.",
            )
