"""Time-stamps of a checkpoint by an authority: RFC 3161. A token says that these bytes existed at that time.

The question is the SHA-512 of the bytes and a nonce; the answer a CMS signature over that and the authority's time. It
is believed when the authority's certificate leads to a root that was configured, is for time-stamping, and was valid
then. The library is an extra: `querywarden[anchor]`.
"""

import datetime as dt
import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.x509.oid import NameOID

from gateway.core.errors import ConfigError

QUERY: Final = "application/timestamp-query"
"""what a question is (RFC 3161, §3.4)"""
MISSING: Final = "time-stamps need a package that is not installed: pip install 'querywarden[anchor]'"
_DATA: Final = re.compile('data: "(Verify error: [^"]+)"')
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class TokenError(ValueError):
    """The answer is no token, or not one over these bytes of this authority. The text says why."""


class Stamp(NamedTuple):
    """What a token says."""

    at_ns: int
    by: str
    """the authority's name, from its certificate"""


class Question(NamedTuple):
    """What an authority is asked."""

    data: bytes
    body: bytes
    nonce: int


def read_roots(pem: bytes) -> tuple[x509.Certificate, ...]:
    """The certificates of a file. Raises ValueError when there are none."""
    return tuple(x509.load_pem_x509_certificates(pem))


def is_available() -> bool:
    """Whether the extra is installed."""
    try:
        import rfc3161_client  # noqa: F401, PLC0415 -- an extra
    except ImportError:
        return False
    return True


def ask(data: bytes) -> Question:
    """A question about these bytes. Raises ConfigError when the extra is missing."""
    try:
        from rfc3161_client import TimestampRequestBuilder  # noqa: PLC0415 -- an extra
    except ImportError:
        raise ConfigError("config.invalid", MISSING) from None
    made = TimestampRequestBuilder().data(data).build()
    if made.nonce is None:
        raise TokenError("the question has no nonce")
    return Question(data, made.as_bytes(), made.nonce)


def read_token(answer: bytes, data: bytes, roots: Sequence[x509.Certificate], nonce: int | None = None) -> Stamp:
    """Verify an answer over these bytes. Raises TokenError, and ConfigError when the extra is missing."""
    try:
        from rfc3161_client import VerificationError, VerifierBuilder, decode_timestamp_response  # noqa: PLC0415
    except ImportError:
        raise ConfigError("config.invalid", MISSING) from None
    if not roots:
        raise TokenError("there is no root to believe")
    try:
        token = decode_timestamp_response(answer)
        VerifierBuilder(roots=list(roots), nonce=nonce).build().verify_message(token, data)
        (signer,) = token.signed_data.signer_infos
        certificates = [x509.load_der_x509_certificate(each) for each in token.signed_data.certificates]
        time = token.tst_info.gen_time
    except VerificationError as error:
        raise TokenError(_why(str(error))) from None
    except ValueError:
        raise TokenError("not a token") from None
    subjects = [each.subject for each in certificates if each.serial_number == signer.serial_number]
    at = time.replace(tzinfo=dt.UTC) if time.tzinfo is None else time
    return Stamp((at - _EPOCH) // dt.timedelta(microseconds=1) * 1000, _name(subjects))


def _why(text: str) -> str:
    """The part of an error that people can use."""
    found = _DATA.search(text)
    return found[1] if found else text.partition(": ErrorStack")[0]


def _name(subjects: Sequence[x509.Name]) -> str:
    for subject in subjects:
        for found in subject.get_attributes_for_oid(NameOID.COMMON_NAME):
            return str(found.value)
    return "the authority"
