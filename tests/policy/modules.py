"""Small modules with OPA's ABI, written by hand: each does one thing that a bundle's module should never do."""

import wasmtime

ANSWER = b'[{"result":{"outcome":"allow"}}]'

_EVAL = {
    "answers": "i32.const 1024",
    "never ends": "(loop br 0) i32.const 1024",
    "traps": "unreachable",
    "aborts": "i32.const 1024 call $abort i32.const 1024",
    "calls a built-in": "(call $builtin (i32.const 0) (i32.const 0)) drop i32.const 1024",
    "points out of memory": "i32.const -1",
    "answers without end": "i32.const 131072",
    "grows without end": "(loop (drop (memory.grow (i32.const 100))) br 0) i32.const 1024",
}
BEHAVIOURS = tuple(_EVAL)


def module(behaviour: str = "answers", answer: bytes = ANSWER, builtins: bytes = b"{}", imports: str = "") -> bytes:
    """The wasm of a module whose `opa_eval` behaves so. `imports` adds to what it asks of its host."""
    filler = '(data (i32.const 131072) "' + "x" * 65536 * 4 + '")' if behaviour == "answers without end" else ""
    text = f"""(module
      (import "env" "memory" (memory 6))
      (import "env" "opa_abort" (func $abort (param i32)))
      (import "env" "opa_builtin0" (func $builtin (param i32 i32) (result i32)))
      {imports}
      (data (i32.const 1024) "{_escaped(answer)}\\00")
      (data (i32.const 512) "{_escaped(builtins)}\\00")
      {filler}
      (func (export "builtins") (result i32) i32.const 512)
      (func (export "opa_json_dump") (param i32) (result i32) local.get 0)
      (func (export "opa_malloc") (param i32) (result i32) i32.const 65536)
      (func (export "opa_json_parse") (param i32 i32) (result i32) i32.const 65536)
      (func (export "opa_heap_ptr_get") (result i32) i32.const 98304)
      (func (export "opa_eval") (param i32 i32 i32 i32 i32 i32 i32) (result i32) {_EVAL[behaviour]}))"""
    return bytes(wasmtime.wat2wasm(text))


def _escaped(text: bytes) -> str:
    return "".join(f"\\{byte:02x}" for byte in text)
