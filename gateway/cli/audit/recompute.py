"""A past decision, computed again: the bundle that decided, by its sha256 from the archive, over the stored input.

The archive's signature was verified when the bundle was brought into force, and its sha256 stands in the decision's
leaf, so whoever believes the leaf needs no key here: another bundle would have another hash.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec

from gateway.core.errors import GatewayError
from gateway.core.verdict import Decision, Outcome
from gateway.policy.archive import read_archive
from gateway.policy.bundle import WASM, read_contents, whole_data
from gateway.policy.digests import canonical, policy_digest
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.manifest import Rule
from gateway.policy.store import BundleStore


class PastBundle(Protocol):
    """A bundle that decided once."""

    @property
    def revision(self) -> str:
        """As its manifest says."""
        ...

    @property
    def policy_digest(self) -> str:
        """Hex."""
        ...

    @property
    def rules(self) -> Mapping[str, Rule]:
        """What its METADATA says, by code."""
        ...

    def answer(self, document: bytes) -> bytes:
        """What it answers to a document. Raises GatewayError."""
        ...

    def line(self, file: str, number: int) -> str:
        """A line of one of its files; empty when there is none."""
        ...


Archive = Callable[[str], PastBundle | None]
"""hex sha256 → the bundle, None when it is not kept. Raises GatewayError and ValueError when it was changed"""


class Result(StrEnum):
    """How a recomputation ended."""

    EQUAL = "equal"
    DIFFERENT = "different"
    NOT_ASKED = "not_asked"
    """policy was not asked: the gateway refused before, or no bundle was active"""
    NO_ANSWER = "no_answer"
    """there is none to compare with: the engine failed, or its answer was not accepted"""
    IMPOSSIBLE = "impossible"
    """what is needed is not there, or is not what it was"""


class Recomputed(NamedTuple):
    """The result and, in words, why."""

    result: Result
    why: str = ""


class Archived:
    """A bundle from the archive. Its engine is started when it is asked for the first time."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        manifest = read_contents(files)
        self.revision = manifest.revision
        self.policy_digest = policy_digest(files)
        self.rules: Mapping[str, Rule] = {rule.code: rule for rule in manifest.metadata.querywarden.rules}
        self._files = files

    def line(self, file: str, number: int) -> str:
        """A line of one of its files, the first one is 1; empty when there is none."""
        lines = self._files.get(file, b"").decode("utf-8", "replace").splitlines()
        return lines[number - 1].strip() if 0 < number <= len(lines) else ""

    def answer(self, document: bytes) -> bytes:
        """What the bundle's module says. Raises GatewayError."""
        engine = EmbeddedEngine(self._files[WASM], whole_data(self._files))
        try:
            return engine.evaluate_now(document)
        finally:
            engine.close()


def archive_of(data_dir: Path) -> Archive:
    """The bundles that were ever active in a data folder."""
    store = BundleStore(data_dir)

    def open_past(sha256: str) -> PastBundle | None:
        raw = store.read(sha256)
        return None if raw is None else Archived(read_archive(raw))

    return open_past


def recompute(
    bundle: PastBundle | None, document: bytes | None, answer: bytes | None, *, asked: bool, carried: str = ""
) -> Recomputed:
    """Ask the bundle again and compare, byte for byte. `asked`: the leaf names an input and a bundle.

    `carried` is the outcome as it was carried out, which may be stricter than the answer, never more open.
    """
    refused = carried in {"", Outcome.DENY}
    if not asked or answer is None:
        return _unanswered(asked=asked, carried="" if refused else carried)
    if document is None or bundle is None:
        missing = "the stored input is not there" if bundle else "the bundle is not in the archive"
        return Recomputed(Result.IMPOSSIBLE, missing)
    if not is_canonical(document):
        return Recomputed(Result.DIFFERENT, "the stored input is not canonical: no gateway wrote it so")
    return _compare(bundle, document, answer, carried)


def _unanswered(*, asked: bool, carried: str) -> Recomputed:
    """Without an answer nothing may be let through."""
    why = "no answer of the bundle was accepted, which denies" if asked else "the gateway decided without asking policy"
    if carried:
        return Recomputed(Result.DIFFERENT, f"{why}; yet carried out was {carried}")
    return Recomputed(Result.NO_ANSWER if asked else Result.NOT_ASKED, why)


def is_canonical(document: bytes) -> bool:
    """Whether a document is written the one way the gateway writes it (RFC 8785)."""
    try:
        return canonical(msgspec.json.decode(document)) == document
    except (ValueError, msgspec.DecodeError):
        return False


def opened(answered: str, carried: str) -> bool:
    """Whether more was let through than was answered."""
    known = [outcome.value for outcome in Outcome]
    return answered in known and carried in known and known.index(carried) < known.index(answered)


def _compare(bundle: PastBundle, document: bytes, answer: bytes, carried: str) -> Recomputed:
    try:
        again = bundle.answer(document)
    except GatewayError as error:
        return Recomputed(Result.DIFFERENT, f"the bundle gives no answer now ({error.code})")
    if again != answer:
        return Recomputed(Result.DIFFERENT, "the bundle answers otherwise now")
    answered = msgspec.json.decode(answer, type=Decision).outcome.value
    if carried and opened(answered, carried):
        return Recomputed(Result.DIFFERENT, f"the bundle answers {answered}; carried out was {carried}")
    return Recomputed(Result.EQUAL, f"the same bundle over the stored input gives the same {len(answer)} bytes")
