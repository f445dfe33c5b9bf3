"""The `opa` program, run: it compiles, inspects, checks and tests Rego. Nothing that serves statements needs it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from gateway.core.errors import BundleRejected, ConfigError, Unavailable
from gateway.core.principal import Json
from gateway.policy import metadata
from gateway.policy.archive import read_archive
from gateway.policy.bundle import DATA, WASM
from gateway.policy.digests import MANIFEST, canonical
from gateway.policy.manifest import ENTRYPOINT, Rule
from gateway.policy.references import reads_for
from gateway.policy.site import Site
from gateway.policy.vectors import read_vectors

_SECONDS = 600.0
_CHECKOUT = Path(__file__).resolve().parents[2]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """How one run of `opa` ended."""

    code: int
    out: bytes
    said: str
    """what it wrote to standard error, or to standard output when that was empty"""


class Compiled(msgspec.Struct, frozen=True, kw_only=True):
    """A policy, compiled: everything of a bundle but its manifest and its site data."""

    files: dict[str, bytes]
    reads: tuple[str, ...]
    reads_for: dict[str, tuple[str, ...]] = {}
    rules: tuple[Rule, ...]
    vectors: dict[str, bytes] = {}
    """by their path in the bundle"""


class Opa:
    """One `opa` program."""

    def __init__(self, program: Path) -> None:
        self.program = program

    @classmethod
    def find(cls) -> "Opa":
        """By the variable OPA, then PATH, then the checkout's tools/bin. Raises Unavailable."""
        named = os.environ.get("OPA")
        built = str(_CHECKOUT / "tools" / "bin" / "opa")
        for candidate in [named] if named else ["opa", built]:
            if found := shutil.which(candidate):
                return cls(Path(found).absolute())
        place = f"OPA names {named}, which cannot be run" if named else "opa is neither on PATH nor in tools/bin"
        raise Unavailable("opa.missing", f"{place}; `sh tools/build.sh` builds it")

    def run(self, *arguments: str | Path, cwd: Path | None = None) -> Answer:
        """Run it. Raises Unavailable when it cannot be started or does not end."""
        try:
            result = subprocess.run(  # noqa: S603 -- our own arguments; no shell
                [self.program, *arguments], cwd=cwd, capture_output=True, check=False, timeout=_SECONDS
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Unavailable("opa.missing", f"{self.program}: {type(error).__name__}") from None
        said = (result.stderr or result.stdout).decode("utf-8", "replace").strip()
        return Answer(code=result.returncode, out=result.stdout, said=said)

    def must(self, *arguments: str | Path, cwd: Path | None = None) -> bytes:
        """Its output. Raises ConfigError with what it said, when it failed: the Rego is wrong."""
        answer = self.run(*arguments, cwd=cwd)
        if answer.code:
            raise ConfigError("config.invalid", answer.said or f"opa {arguments[0]} ended with {answer.code}")
        return answer.out


def compile_policy(opa: Opa, policies: Path, vectors: Path | None = None) -> Compiled:
    """Two compilations, one set of files: the Rego tree and its wasm (docs/adr/0006). Paths in `policies` only.

    `vectors` is a folder of questions and answers that the bundle brings along and must pass before it decides.

    Raises ConfigError when the Rego is wrong, BundleRejected when it cannot be a bundle, Unavailable without opa.
    """
    with TemporaryDirectory(prefix="querywarden-build-") as folder:
        staged = Path(folder) / "stage"
        stage(policies, staged)
        tree, wasm = Path(folder) / "tree.tar.gz", Path(folder) / "wasm.tar.gz"
        capabilities = (policies / "capabilities.json").resolve()
        bounded = ("--capabilities", capabilities)
        opa.must("build", "-b", ".", "-t", "rego", *bounded, "-o", tree, cwd=staged)
        opa.must("build", "-b", ".", "-t", "wasm", "-e", ENTRYPOINT, *bounded, "-o", wasm, cwd=staged)
        files = {name: content for name, content in read_archive(tree.read_bytes()).items() if name != MANIFEST}
        files[DATA] = canonical(msgspec.json.decode(files[DATA]))
        files[WASM] = read_archive(wasm.read_bytes())[WASM]
        read = reads_for(modules(opa, staged), Site.__struct_fields__)
        return Compiled(
            files=files,
            reads=read.pop("", ()),
            reads_for=read,
            rules=metadata.rules(opa.must("inspect", "-a", "-f", "json", tree)),
            vectors=read_vectors(vectors) if vectors is not None else {},
        )


def stage(policies: Path, folder: Path) -> None:
    """Copy what goes into a bundle into a folder: `opa build --ignore` would also skip a rule that is called `meta`.

    Raises ConfigError when there is no policy.
    """
    if not (policies / "gateway").is_dir() or not (policies / MANIFEST).is_file():
        raise ConfigError("config.invalid", f"{policies}:1: there is no policy here: gateway/ and {MANIFEST}")
    for path in [policies / MANIFEST, *sorted((policies / "gateway").rglob("*"))]:
        if path.is_dir():
            continue
        if path.is_symlink():
            raise BundleRejected("bundle.malformed", f"{path} is a link")
        target = folder / path.relative_to(policies)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())


def modules(opa: Opa, staged: Path) -> Iterator[tuple[str, Json]]:
    """Each module's name and syntax tree."""
    for path in sorted(staged.rglob("*.rego")):
        name = path.relative_to(staged).as_posix()
        yield name, msgspec.json.decode(opa.must("parse", "--format", "json", name, cwd=staged))
