"""`querywarden policy vectors`: a bundle's own vectors, asked of it as before it comes into force."""

from pathlib import Path
from typing import Annotated, Final

import msgspec
from cyclopts import Parameter
from msgspec import UNSET

from gateway.cli.policy.findings import Junit, Sarif, write_findings
from gateway.cli.policy.options import AsJson
from gateway.cli.policy.reporting import Check, report
from gateway.core.errors import GatewayError
from gateway.policy.build import read_bundle_files
from gateway.policy.bundle import VECTORS, WASM, whole_data
from gateway.policy.digests import canonical
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.vectors import Vector, decode_vectors

SHOWN: Final = 10


def vectors(
    bundle: Annotated[Path, Parameter(help="The archive, signed or not.")],
    *,
    junit: Junit = None,
    sarif: Sarif = None,
    as_json: AsJson = False,
) -> int:
    """Ask a bundle everything its vectors ask, yours included. Exits 1 when an answer is another, or there are none."""
    files = read_bundle_files(bundle)
    engine = EmbeddedEngine(files[WASM], whole_data(files))
    checks = [_check(engine, files, name) for name in sorted(files) if name.startswith(VECTORS)]
    checks = checks or [Check(name=VECTORS, ok=False, said="the bundle brings none")]
    engine.close()
    write_findings(checks, junit, sarif)
    return report(checks, as_json=as_json)


def _check(engine: EmbeddedEngine, files: dict[str, bytes], name: str) -> Check:
    found = decode_vectors(name, files[name])
    over = engine
    if found.site is not UNSET:
        whole = msgspec.json.decode(whole_data(files), type=dict[str, msgspec.Raw])
        over = engine.over(canonical({"gateway": msgspec.json.decode(whole["gateway"]), "site": found.site}))
    wrong = [said for vector in found.vectors if (said := _wrong(over, vector))]
    shown = [*wrong[:SHOWN], *([f"{len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else [])]
    return Check(name=name, ok=not wrong, said="\n".join(shown) or f"{len(found.vectors)} answered as they say")


def _wrong(engine: EmbeddedEngine, vector: Vector) -> str:
    """What is wrong with the answer to one; empty when nothing is."""
    try:
        answer = engine.evaluate_now(canonical(vector.input))
    except GatewayError as error:
        return f"{vector.name}: no answer ({error.code})"
    wanted = canonical(vector.decision)
    return "" if answer == wanted else f"{vector.name}: wanted {wanted.decode()}, got {answer.decode()}"
