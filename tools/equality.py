"""The same questions on three engines: `opa eval`, a real `opa run`, and the embedded one: `python -m tools.equality`.

Every vector, and as many odd inputs as `--inputs` says, under the site data of each file of vectors. The OPA server
fetches each bundle from the gateway's own endpoint and verifies it; it is asked as the gateway asks it. Prints what was
counted. Exits 1 when two answers differ in a byte, a vector is answered otherwise, or anything comes out more open than
it may: what does not keep to the input schema is denied, and no labelled column is left neither masked nor cleared.
"""

import argparse
import asyncio
import contextlib
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gateway.core.verdict import Decision, Outcome
from gateway.frontends.http.routes import Desk
from gateway.frontends.http.server import serving
from gateway.frontends.http.shelf import Shelf
from gateway.frontends.http.state import State
from gateway.frontends.listener import bind
from gateway.policy.build import read_bundle_files, reference_base, signed, with_site
from gateway.policy.bundle import Bundle, open_bundle
from gateway.policy.compiler import Opa as Program
from gateway.policy.decider import Active
from gateway.policy.digests import canonical
from gateway.policy.document import check
from gateway.policy.embedded import EmbeddedEngine
from gateway.policy.engine import EngineError
from gateway.policy.keys import SigningKey, signing_key
from gateway.policy.opa import Opa, OpaEngine, Server
from gateway.policy.site import Site
from gateway.policy.vectors import Vectors, decode_vectors
from tools.odd_inputs import odd_inputs
from tools.opa_server import opa_server

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / "rego_tests/vectors").glob("*.json"))
UNDEFINED = b""
SHOWS = {"pci.breakglass.used", "pci.cardholder.cleared"}
"""reasons that let a labelled column be seen"""
TAKEN_SECONDS = 30.0
AT_ONCE = 4
QUERY = """package asked
decisions := {i: decision | some i, each in input.documents; decision := data.gateway.main.decision with input as each}
"""


class Count(Counter[str]):
    """What was seen."""

    def report(self) -> str:
        """For people."""
        said = ("vectors", "inputs", "valid", "invalid", "undefined", "differ", "wrong", "open")
        return ", ".join(f"{self[name]} {name}" for name in said)

    @property
    def fine(self) -> bool:
        """Nothing that must not be."""
        return not (self["differ"] or self["wrong"] or self["open"])


async def compare(number: int, seed: int, files: Sequence[Path] = tuple(FILES)) -> Count:
    """Ask everything."""
    count, shelf, key = Count(), Shelf(), _key()
    listening = bind("127.0.0.1", 0)
    address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    desk = Desk(shelf, State(_ready), "querywarden")
    async with serving(listening, desk, None), contextlib.AsyncExitStack() as stack:
        files_of_rules = read_bundle_files(reference_base())
        with opa_server(address, key.public) as server:
            opa = Opa(Server(url=server.url, timeout=30.0))
            stack.push_async_callback(opa.close)
            for index, path in enumerate(files):
                vectors = decode_vectors(path.name, path.read_bytes())
                site = msgspec.convert(vectors.site, Site)
                raw = signed(with_site(files_of_rules, site, path.stem), key)
                shelf.put(raw)
                bundle = open_bundle(raw, [key.public], 1)
                share = number * (index + 1) // len(files) - number * index // len(files)
                await _one_site(count, vectors, bundle, opa, list(_odd(vectors, share, seed + index)))
    return count


async def _one_site(count: Count, vectors: Vectors, bundle: Bundle, opa: Opa, odd: Sequence[object]) -> None:
    documents = [*(vector.input for vector in vectors.vectors), *odd]
    embedded, served = EmbeddedEngine(bundle.wasm, bundle.data), OpaEngine(opa, bundle)
    await _taken(served)
    ours = [await _answer(embedded, canonical(each)) for each in documents]
    theirs = await _answers(served, documents)
    reference = await asyncio.to_thread(_evaluated, bundle, documents)
    active = Active(bundle, embedded)
    for index, (document, *answers) in enumerate(zip(documents, ours, theirs, reference, strict=True)):
        count["inputs" if index >= len(vectors.vectors) else "vectors"] += 1
        count["differ"] += len(set(answers)) > 1
        count["undefined"] += answers[0] == UNDEFINED
        valid = _conforms(document)
        if index >= len(vectors.vectors):
            count["valid" if valid else "invalid"] += 1
        for answer in set(answers):
            count["open"] += _too_open(active, document, answer, valid=valid)
    count["wrong"] += sum(
        answer != canonical(vector.decision) for vector, answer in zip(vectors.vectors, ours, strict=False)
    )
    embedded.close()


def _odd(vectors: Vectors, number: int, seed: int) -> Sequence[object]:
    return list(odd_inputs([vector.input for vector in vectors.vectors], number, seed))


def _conforms(document: object) -> bool:
    try:
        check(canonical(document))
    except msgspec.ValidationError:
        return False
    return True


def _too_open(active: Active, document: object, answer: bytes, *, valid: bool) -> bool:
    """Whether the gateway would let something through that it must not. Its own check of the schema comes first."""
    if not valid or answer == UNDEFINED:
        return False
    try:
        decision: Decision = active.verdict(canonical(document), answer, "", 0).decision
    except EngineError:
        return False
    if decision.outcome is Outcome.DENY:
        return False
    return not _accounted(document, decision)


def _accounted(document: object, decision: Decision) -> bool:
    """Each labelled column has a mask or a reason that clears it: said once more, without the gateway's code."""
    facts = json.loads(canonical(document))["statement"]
    masked = {(m.schema, m.relation, m.column): m.method for m in decision.obligations.masks}
    cleared = {r.args.get("column") for r in decision.reasons if r.code in SHOWS}
    for column in facts["columns"]:
        name = (column["schema"], column["relation"], column["name"])
        if column["labels"] and name not in masked and ".".join(name) not in cleared:
            return False
        if {"cvv", "track", "pin"} & set(column["labels"]) and masked.get(name) != "null":
            return False
    return True


async def _taken(engine: OpaEngine) -> None:
    """Wait until OPA has fetched the bundle that lies out, and says so."""
    async with asyncio.timeout(TAKEN_SECONDS):
        while True:
            try:
                return await engine.check()
            except EngineError:
                await asyncio.sleep(0.02)


async def _answers(engine: OpaEngine, documents: Sequence[object]) -> list[bytes]:
    free = asyncio.Semaphore(AT_ONCE)

    async def one(document: object) -> bytes:
        async with free:
            return await _answer(engine, canonical(document))

    return await asyncio.gather(*map(one, documents))


async def _answer(engine: EmbeddedEngine | OpaEngine, document: bytes) -> bytes:
    try:
        return await engine.evaluate(document)
    except EngineError as error:
        if error.code != "policy.undefined":
            raise
        return UNDEFINED


def _evaluated(bundle: Bundle, documents: Sequence[object]) -> list[bytes]:
    """The answers of `opa eval` over the rules of this tree and the bundle's data."""
    with tempfile.TemporaryDirectory(prefix="querywarden-") as name:
        folder = Path(name)
        (folder / "asked.rego").write_text(QUERY, encoding="utf-8")
        site = msgspec.json.decode(bundle.data, type=dict[str, msgspec.Raw])["site"]
        (folder / "site.json").write_bytes(b'{"site":' + bytes(site) + b"}")
        (folder / "input.json").write_bytes(canonical({"documents": list(documents)}))
        loaded = [f"gateway:{ROOT / 'policies/gateway'}", str(folder / "asked.rego"), str(folder / "site.json")]
        arguments = [part for each in loaded for part in ("-d", each)]
        query = ("-i", str(folder / "input.json"), "--format", "json", "data.asked.decisions")
        out = msgspec.json.decode(Program.find().must("eval", *arguments, *query), type=_Evaluation)
    found = out.result[0].expressions[0].value
    return [canonical(found[str(i)]) if str(i) in found else UNDEFINED for i in range(len(documents))]


class _Expression(msgspec.Struct):
    value: Mapping[str, object]


class _Row(msgspec.Struct):
    expressions: list[_Expression]


class _Evaluation(msgspec.Struct):
    result: list[_Row]


async def _ready() -> list[str]:
    return []


def _key() -> SigningKey:
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return signing_key(pem, keyid="equality")


def main() -> int:
    """Compare, and say what was counted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    count = asyncio.run(compare(arguments.inputs, arguments.seed))
    print(f"three engines  {'equal' if count.fine else 'NOT EQUAL'}: {count.report()}")
    return 0 if count.fine else 1


if __name__ == "__main__":
    sys.exit(main())
