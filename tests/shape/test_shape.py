"""The tree keeps its shape: small files, short functions, a twin for each module, one sentence on top."""

import ast
from pathlib import Path

from tests.shape.tree import OURS, ROOT, functions_of, imports_of, io_modules, python_files, rooms, tree_of

MAX_FILE_LINES = 500
MAX_FUNCTION_LINES = 40
ROOMS_WITH_ADAPTERS = ("identity", "policy", "approvals", "evidence")

ADAPTERS: dict[str, str] = {
    "evidence/index.py": "the search index, a SQLite file",
    "evidence/bodies.py": "other processes, which read bodies meanwhile",
    "evidence/log.py": "the threads that sync and lay out the log",
    "evidence/recorder.py": "the log's clockwork: heartbeats",
    "evidence/recording/store.py": "the threads that seal recordings, and the sessions they hold back",
    "evidence/sinks/allowance.py": "rests between slices of work",
    "evidence/sinks/aside.py": "threads for what blocks",
    "evidence/sinks/courier.py": "waits, and tries again",
    "evidence/sinks/dispatch.py": "the thread and the loop of the sinks",
    "evidence/sinks/posting.py": "HTTP to a receiver",
    "evidence/sinks/to_s3.py": "an S3 bucket",
    "evidence/sinks/to_splunk.py": "polls for acknowledgements",
    "evidence/sinks/to_syslog.py": "a syslog receiver",
    "evidence/anchoring.py": "time-stamping authorities, asked beside the traffic",
    "evidence/witnessing.py": "witnesses, asked beside the traffic",
    "evidence/witness_http.py": "the line to a witness or a time-stamping authority",
    "evidence/scan_formats.py": "databases that a scan finds, read only",
    "policy/activation.py": "the bundle's file, watched",
    "policy/office.py": "orders, carried out beside each other",
    "policy/shadow.py": "a candidate is tried in a thread",
    "policy/source.py": "the bundle's file, or its server",
    "policy/decider.py": "waits for the moment in which a bundle is swapped",
    "policy/opa.py": "the OPA server",
    "policy/embedded.py": "what is slow is evaluated once more in a thread",
    "identity/jwks.py": "the key sets of issuers, fetched",
    "policy/compiler.py": "the opa program",
}
"""The files of otherwise pure rooms that may do I/O, each with what it touches."""


def test_no_file_is_longer_than_500_lines() -> None:
    long = {str(path): count for path in python_files(*OURS) if (count := line_count(path)) > MAX_FILE_LINES}
    assert long == {}


def line_count(path: Path) -> int:
    return len((ROOT / path).read_text(encoding="utf-8").splitlines())


def test_no_function_is_longer_than_40_lines() -> None:
    long = {
        f"{path}:{name}": count
        for path in python_files(*OURS)
        for name, count in functions_of(path)
        if count > MAX_FUNCTION_LINES
    }
    assert long == {}


def test_every_module_has_a_test_twin() -> None:
    missing = [str(path) for path in python_files("gateway") if needs_twin(path) and not has_twin(path)]
    assert missing == []


def needs_twin(path: Path) -> bool:
    """`__init__` and `__main__` need one only when they define something."""
    if path.name in {"__init__.py", "__main__.py"}:
        return any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in tree_of(path).body)
    return True


def has_twin(path: Path) -> bool:
    """gateway/a/b/c.py → tests/a/b/test_c.py, or anywhere under tests/a/."""
    parts = path.with_suffix("").parts[1:]
    parts = parts[:-1] if parts[-1] == "__init__" else parts
    *folders, name = parts
    tests = ROOT / "tests" / folders[0] if folders else ROOT / "tests"
    return any(tests.rglob(f"test_{name}.py"))


def test_every_file_starts_with_one_sentence_that_says_what_it_is() -> None:
    silent = [str(path) for path in python_files(*OURS) if not opens_with_a_sentence(path)]
    assert silent == []


def opens_with_a_sentence(path: Path) -> bool:
    if path.name == "__init__.py" and not tree_of(path).body:
        return path.parts[0] != "gateway"
    first = (ast.get_docstring(tree_of(path)) or "").split("\n\n")[0]
    return "." in first or ":" in first


def test_the_architecture_page_names_every_room() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    assert [room for room in rooms() if f"`{room}/`" not in page] == []


def test_the_architecture_page_names_no_room_that_is_gone() -> None:
    page = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rows = [line.split("`")[1].rstrip("/") for line in page.splitlines() if line.startswith("| `") and "/` |" in line]
    assert rows
    assert [row for row in rows if row not in rooms()] == []


def test_only_named_adapters_do_io_in_rooms_that_are_otherwise_pure() -> None:
    doing_io = {
        str(path.relative_to("gateway"))
        for path in python_files("gateway")
        if path.parts[1] in ROOMS_WITH_ADAPTERS and imports_of(path) & io_modules()
    }
    assert doing_io == set(ADAPTERS)
