"""The one file `verify.py` says what the modules say, alone, on an old Python."""

import ast
import subprocess
import sys
from pathlib import Path

from gateway.evidence.package.assembled import verify_py
from tests.evidence.package.mutations import Base, append, remove
from tests.evidence.package.world import verified_bytes

OLDEST = (3, 8)


def test_it_is_one_file_without_us_that_python_3_8_can_read() -> None:
    tree = ast.parse(verify_py(), feature_version=OLDEST)
    modules = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    outside = {module.partition(".")[0] for module in modules if module} - set(sys.stdlib_module_names)
    assert outside == {"cryptography"}
    assert not any(isinstance(node, ast.Match) for node in ast.walk(tree))


def test_no_name_is_defined_twice() -> None:
    names = [node.name for node in ast.parse(verify_py()).body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    assert len(names) == len(set(names))


def test_what_came_after_python_3_8_is_not_called() -> None:
    text = verify_py().decode()
    assert [
        word for word in (".removeprefix(", ".removesuffix(", "strict=", "file_digest", "dt.UTC") if word in text
    ] == []


def test_it_gives_the_same_answer_alone(base: Base, tmp_path: Path) -> None:
    from random import Random  # noqa: PLC0415 -- only here

    program, key = tmp_path / "verify.py", tmp_path / "log.pub"
    program.write_bytes(verify_py())
    key.write_text(base.signer.verifier.encode())
    rng = Random(1)  # noqa: S311 -- to be repeated
    for number, raw in enumerate([base.raw, remove(base, rng)[0], append(base, rng)[0]]):
        path = tmp_path / f"{number}.zip"
        path.write_bytes(raw)
        done = subprocess.run(
            [sys.executable, "-I", program, path, "--key", key], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (verified_bytes(raw, base.signer.verifier.encode()).code, "")


def test_the_same_modules_give_the_same_bytes() -> None:
    assert verify_py() == verify_py()
