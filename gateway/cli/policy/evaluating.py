"""A candidate, asked many questions on every processor: each process has its own instance of the bundle's module."""

import hashlib
import multiprocessing
import os
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from itertools import islice
from pathlib import Path

import msgspec

from gateway.cli.audit.recompute import whole_data
from gateway.core.errors import GatewayError
from gateway.core.verdict import Decision
from gateway.policy.build import read_bundle_files
from gateway.policy.bundle import WASM
from gateway.policy.embedded import EmbeddedEngine

CHUNK = 500
"""questions handed to a process at once"""
AHEAD = 4
"""chunks that wait for each process, so that no period has to fit into memory"""
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
    """One bundle's engine. What gives no answer denies, as it would at the gateway."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._engine = EmbeddedEngine(files[WASM], whole_data(files))

    def raw(self, document: bytes) -> bytes:
        """The canonical answer itself. Raises EngineError."""
        return self._engine.evaluate_now(document)

    def ask(self, document: bytes) -> Answer:
        """The answer to one input."""
        try:
            return answer_of(self.raw(document))
        except GatewayError as error:
            code = error.code
        except msgspec.DecodeError:
            code = "policy.invalid_answer"
        return Answer(hashlib.sha256(code.encode()).hexdigest(), "deny", (code,))


def ask_all(bundle: Path, documents: Iterable[tuple[str, bytes]], processes: int = 0) -> Iterator[tuple[str, Answer]]:
    """(hash, answer) of every (hash, document), in their order. `processes` 0: one for each processor."""
    workers = processes or len(os.sched_getaffinity(0))
    rest = iter(documents)
    context = multiprocessing.get_context("spawn")  # a fork of threads would hang
    with ProcessPoolExecutor(workers, context, _start, (str(bundle),)) as pool:
        waiting: list[Future[list[tuple[str, Answer]]]] = []
        while chunk := list(islice(rest, CHUNK)):
            waiting.append(pool.submit(_ask, chunk))
            if len(waiting) >= workers * AHEAD:
                yield from waiting.pop(0).result()
        for each in waiting:
            yield from each.result()


_OWN: list[Candidate] = []
"""the bundle of this process; empty in the one that started it"""


def _start(bundle: str) -> None:
    _OWN[:] = [Candidate(read_bundle_files(Path(bundle)))]


def _ask(chunk: list[tuple[str, bytes]]) -> list[tuple[str, Answer]]:
    (candidate,) = _OWN
    return [(name, candidate.ask(document)) for name, document in chunk]
