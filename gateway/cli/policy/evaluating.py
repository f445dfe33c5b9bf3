"""A candidate, asked many questions on every processor: each process has its own instance of the bundle's module."""

import hashlib
import multiprocessing
import os
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from pathlib import Path

import msgspec

from gateway.core.errors import GatewayError
from gateway.core.verdict import Decision
from gateway.policy.acceptance import accepted, clearing
from gateway.policy.build import read_bundle_files
from gateway.policy.bundle import WASM, read_contents, whole_data
from gateway.policy.embedded import EmbeddedEngine

CHUNK = 500
"""questions handed to a process at once"""
AHEAD = 4
"""chunks that wait for each process, so that no period has to fit into memory"""
ENGINES = 4
"""bundles that a process keeps ready: a period is asked bundle by bundle"""
_DECISION = msgspec.json.Decoder(Decision)


class Answer(msgspec.Struct, frozen=True):
    """What a bundle says of an input, as far as a comparison looks."""

    sha256: str
    """of the canonical answer; of the error's code when there is none"""
    outcome: str
    codes: tuple[str, ...]


def answer_of(raw: bytes) -> Answer:
    """Of an answer as it was stored. Raises msgspec.DecodeError."""
    decision = _DECISION.decode(raw)
    codes = tuple(sorted({reason.code for reason in decision.reasons}))
    return Answer(hashlib.sha256(raw).hexdigest(), decision.outcome.value, codes)


class Candidate:
    """One bundle's engine. What gives no answer, or one that is not accepted, denies, as it would at the gateway."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._engine = EmbeddedEngine(files[WASM], whole_data(files))
        self._cleared = clearing({rule.code: rule for rule in read_contents(files).metadata.querywarden.rules})

    def raw(self, document: bytes) -> bytes:
        """The canonical answer itself. Raises EngineError."""
        return self._engine.evaluate_now(document)

    def ask(self, document: bytes) -> Answer:
        """The answer to one input."""
        try:
            raw = self.raw(document)
            accepted(document, raw, self._cleared)
        except GatewayError as error:
            code = error.code
        except msgspec.DecodeError:
            code = "policy.invalid_input"
        else:
            return answer_of(raw)
        return Answer(hashlib.sha256(code.encode()).hexdigest(), "deny", (code,))

    def close(self) -> None:
        """Let go of the engine."""
        self._engine.close()


def ask_all(bundle: Path, documents: Iterable[tuple[str, bytes]], processes: int = 0) -> Iterator[tuple[str, Answer]]:
    """(hash, answer) of every (hash, document), in their order. `processes` 0: one for each processor."""
    return ((name, answer) for _, name, answer in ask_several([(bundle, documents)], processes))


def ask_several(
    questions: Iterable[tuple[Path, Iterable[tuple[str, bytes]]]], processes: int = 0
) -> Iterator[tuple[Path, str, Answer]]:
    """The same of several bundles, each asked its own documents."""
    workers = processes or len(os.sched_getaffinity(0))
    context = multiprocessing.get_context("spawn")  # a fork of threads would hang
    with ProcessPoolExecutor(workers, context) as pool:
        waiting: deque[Future[list[tuple[Path, str, Answer]]]] = deque()
        for bundle, chunk in _chunks(questions):
            waiting.append(pool.submit(_ask, bundle, chunk))
            if len(waiting) >= workers * AHEAD:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()


def _chunks(
    questions: Iterable[tuple[Path, Iterable[tuple[str, bytes]]]],
) -> Iterator[tuple[Path, list[tuple[str, bytes]]]]:
    for bundle, documents in questions:
        rest = iter(documents)
        while chunk := list(islice(rest, CHUNK)):
            yield bundle, chunk


_OWN: OrderedDict[Path, Candidate] = OrderedDict()
"""the bundles of this process; none in the one that started it"""


def _ask(bundle: Path, chunk: list[tuple[str, bytes]]) -> list[tuple[Path, str, Answer]]:
    candidate = _OWN.get(bundle)
    if candidate is None:
        candidate = _OWN[bundle] = Candidate(read_bundle_files(bundle))
        while len(_OWN) > ENGINES:
            _OWN.popitem(last=False)[1].close()
    return [(bundle, name, candidate.ask(document)) for name, document in chunk]
