"""The embedded engine: a bundle's `policy.wasm`, run in this process by wasmtime.

OPA compiles Rego to a module with ABI 1.3 (OPA's documentation, WebAssembly, "ABI Definition"): memory is imported,
data is parsed once into the module's heap, and each evaluation starts from the heap as it was after that. A module that
wants a built-in from its host is refused, so every answer is computed by the module alone and can be computed again.
"""

import asyncio
import copy
import ctypes
import threading
from collections import deque
from importlib.metadata import version
from typing import Final

import wasmtime

from gateway.policy.engine import EngineError, answer_of

NAME: Final = f"embedded/wasmtime-{version('wasmtime')}"
TICK_SECONDS: Final = 0.005
IN_LOOP_TICKS: Final = 2
"""an evaluation in the event loop is stopped at the second tick: after 5 to 10 ms"""
IN_THREAD_TICKS: Final = 50
"""one outside of it after 250 ms"""
MEMORY_MAX_PAGES: Final = 2048
"""128 MiB in pages of 64 KiB"""
_PAGE: Final = 64 * 1024
_ABI: Final = (
    "opa_abort",
    "opa_println",
    "opa_builtin0",
    "opa_builtin1",
    "opa_builtin2",
    "opa_builtin3",
    "opa_builtin4",
)


class Compiled:
    """A module made ready once for each bundle, from which instances are taken. Safe to use from several threads."""

    def __init__(self, wasm: bytes, data: bytes) -> None:
        config = wasmtime.Config()
        config.epoch_interruption = True
        self.engine = wasmtime.Engine(config)
        self.data = data
        try:
            self.module = wasmtime.Module(self.engine, wasm)
        except wasmtime.WasmtimeError:
            raise EngineError("policy.engine", "the module does not compile") from None
        self.ticker = _Ticker(self.engine)
        self._idle: deque[_Instance] = deque()

    def evaluate(self, document: bytes, ticks: int) -> bytes:
        """The result set, JSON, for an input document. Raises EngineError; a trapped instance is thrown away."""
        instance = self._take()
        try:
            with self.ticker:
                answer = instance.evaluate(document, ticks)
        except wasmtime.Trap as trap:
            late = trap.trap_code is wasmtime.TrapCode.INTERRUPT
            raise EngineError("policy.timeout" if late else "policy.engine") from None
        except (wasmtime.WasmtimeError, IndexError, ValueError):
            raise EngineError("policy.engine") from None
        self._idle.append(instance)
        return answer

    def _take(self) -> "_Instance":
        try:
            return self._idle.pop()
        except IndexError:
            try:
                with self.ticker:
                    return _Instance(self)
            except (wasmtime.Trap, wasmtime.WasmtimeError, IndexError, ValueError, KeyError):
                raise EngineError("policy.engine", "the module cannot be started") from None

    def over(self, data: bytes) -> "Compiled":
        """The same module over other data. It ends with this one, and is not closed by itself."""
        other = copy.copy(self)
        other.data, other._idle = data, deque()  # noqa: SLF001 -- of our own class
        return other

    def close(self) -> None:
        """Stop the clock behind the deadlines."""
        self.ticker.close()


class EmbeddedEngine:
    """Answers in the event loop, in at most ten milliseconds; what takes longer is tried once more in a thread."""

    name: Final = NAME
    remembers: Final = True

    def __init__(self, wasm: bytes, data: bytes) -> None:
        self._compiled = Compiled(wasm, data)

    async def evaluate(self, document: bytes) -> bytes:
        """The canonical answer to a document. Raises EngineError."""
        try:
            return self.evaluate_soon(document)
        except EngineError as error:
            if error.code != "policy.timeout":
                raise
        return await asyncio.to_thread(self.evaluate_now, document)

    def evaluate_soon(self, document: bytes) -> bytes:
        """The same, within ten milliseconds or not at all."""
        return answer_of(self._compiled.evaluate(document, IN_LOOP_TICKS))

    def evaluate_now(self, document: bytes) -> bytes:
        """The same, without a loop: for the auditor's desk, and for what is slow."""
        return answer_of(self._compiled.evaluate(document, IN_THREAD_TICKS))

    def over(self, data: bytes) -> "EmbeddedEngine":
        """The same policy over other data. It ends with this one, and is not closed by itself."""
        other = copy.copy(self)
        other._compiled = self._compiled.over(data)  # noqa: SLF001 -- of our own class
        return other

    async def check(self) -> None:
        """It is in this process: it could decide."""

    def close(self) -> None:
        """Let go of what the engine holds."""
        self._compiled.close()


class _Ticker:
    """Moves the engine's epoch on while something runs, and sleeps while nothing does."""

    def __init__(self, engine: wasmtime.Engine) -> None:
        self._engine = engine
        self._running = 0
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._stopped = threading.Event()
        threading.Thread(target=self._tick, name="policy-epoch", daemon=True).start()

    def __enter__(self) -> None:
        """Something runs."""
        with self._lock:
            self._running += 1
            self._wake.set()

    def __exit__(self, *_: object) -> None:
        """It has ended."""
        with self._lock:
            self._running -= 1

    def close(self) -> None:
        """End the thread."""
        self._stopped.set()
        self._wake.set()

    def _tick(self) -> None:
        while not self._stopped.is_set():
            self._wake.wait()
            while not self._stopped.wait(TICK_SECONDS):
                self._engine.increment_epoch()
                with self._lock:
                    if not self._running:
                        self._wake.clear()
                        break


class _Instance:
    """One instance with the data document in its heap. Used by one thread at a time."""

    def __init__(self, compiled: Compiled) -> None:
        self._store = wasmtime.Store(compiled.engine)
        self._store.set_limits(memory_size=MEMORY_MAX_PAGES * _PAGE)
        self._store.set_epoch_deadline(IN_THREAD_TICKS)
        self._memory = self._wanted_memory(compiled.module)
        exports = wasmtime.Instance(self._store, compiled.module, self._imports(compiled.module)).exports(self._store)
        self._exports = exports
        self._eval = self._function("opa_eval")
        if self._text(self._call("opa_json_dump", self._call("builtins"))) != b"{}":
            raise EngineError("policy.capability", "the module asks its host for built-ins")
        self._entrypoint = 0
        self._data = self._parsed(compiled.data)
        self._heap = self._call("opa_heap_ptr_get")

    def evaluate(self, document: bytes, ticks: int) -> bytes:
        """The result set for an input. The heap goes back to where it was by itself: it is given at each call."""
        self._store.set_epoch_deadline(ticks)
        self._write(self._heap, document)
        found = self._eval(
            self._store, 0, self._entrypoint, self._data, self._heap, len(document), self._heap + len(document), 0
        )
        return self._text(found)

    def _function(self, name: str) -> wasmtime.Func:
        found = self._exports[name]
        if not isinstance(found, wasmtime.Func):
            raise EngineError("policy.engine", f"the module has no function {name}")
        return found

    def _call(self, name: str, *arguments: int) -> int:
        found = self._function(name)(self._store, *arguments)
        return found if isinstance(found, int) else 0

    def _wanted_memory(self, module: wasmtime.Module) -> wasmtime.Memory:
        """As many pages as the module asks for, and room to grow up to the limit."""
        for wanted in module.imports:
            if isinstance(wanted.type, wasmtime.MemoryType):
                pages = wanted.type.limits.min
                return wasmtime.Memory(self._store, wasmtime.MemoryType(wasmtime.Limits(pages, MEMORY_MAX_PAGES)))
        raise EngineError("policy.engine", "the module imports no memory")

    def _imports(self, module: wasmtime.Module) -> list[wasmtime.Func | wasmtime.Memory]:
        found: list[wasmtime.Func | wasmtime.Memory] = []
        for wanted in module.imports:
            kind = wanted.type
            if wanted.module != "env" or wanted.name not in {"memory", *_ABI}:
                raise EngineError("policy.capability", f"the module imports {wanted.module}.{wanted.name}")
            if isinstance(kind, wasmtime.FuncType):
                found.append(wasmtime.Func(self._store, kind, _refuse))
            else:
                found.append(self._memory)
        return found

    def _parsed(self, text: bytes) -> int:
        """The address of a JSON value in the heap, made of its text."""
        at = self._call("opa_malloc", len(text))
        self._write(at, text)
        value = self._call("opa_json_parse", at, len(text))
        if not value:
            raise EngineError("policy.engine", "the bundle's data is no JSON")
        return value

    def _write(self, at: int, data: bytes) -> None:
        """Copy into memory, which grows when it must."""
        missing = at + len(data) - self._memory.data_len(self._store)
        if missing > 0:
            self._memory.grow(self._store, missing // _PAGE + 1)
        self._memory.write(self._store, data, at)

    def _text(self, at: int) -> bytes:
        """The text at an address, up to its NUL."""
        size = self._memory.data_len(self._store)
        if not 0 < at < size:
            raise EngineError("policy.engine", "the module points out of its memory")
        start = ctypes.addressof(self._memory.data_ptr(self._store).contents) + at
        length = 4096
        while True:
            piece = ctypes.string_at(start, min(length, size - at))
            end = piece.find(b"\0")
            if end >= 0:
                return piece[:end]
            if length >= size - at:
                raise EngineError("policy.engine", "a text of the module does not end")
            length *= 4


def _refuse(*_: int) -> int:
    """Whatever a module asks of its host, or aborts with: a trap."""
    raise EngineError("policy.engine", "the module called its host")
