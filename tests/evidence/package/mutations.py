"""Ways to change a package, each with the name under which it must be found.

*Raw* ones are what somebody without a key can do: with the bytes, or by writing the archive anew. *Sealed* ones are an
insider's: the manifest is made to fit and signed again with the real key, and only the log gives them away.
"""

import hashlib
import json
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from gateway.evidence.dsse import seal
from gateway.evidence.note import Signer
from gateway.evidence.package.verifier.archive import (
    ENVELOPE,
    MANIFEST,
    PLAIN_FILE,
    Archive,
    directory_line,
    ending,
    header,
)
from gateway.evidence.package.verifier.drawn import POPULATION, SAMPLE
from gateway.evidence.package.verifier.signed import PAYLOAD_TYPE
from gateway.evidence.scrub import canonical
from gateway.evidence.tiles import join_entries, split_entries

Files = dict[str, bytes]
Changed = tuple[bytes, set[str]]
"""the changed package, and names of which one must be found"""
Change = Callable[["Base", Random], Changed]


@dataclass(frozen=True, repr=False)
class Base:
    """A package that holds, and what an attacker may have."""

    raw: bytes
    files: Files
    signer: Signer
    """the log's own key: an insider's"""
    stranger: Signer
    old_note: bytes
    """a checkpoint of the same log, signed before"""
    other: bytes
    """the envelope of another package of the same log"""

    @property
    def names(self) -> list[str]:
        """Of what the manifest names."""
        return [name for name in self.files if name not in {MANIFEST, ENVELOPE}]

    def like(self, part: str) -> list[str]:
        """Names that match."""
        return [name for name in self.files if re.search(part, name)]


def files_of(archive: Archive) -> Files:
    return {name: archive.read(name) for name in archive.parts}


def zipped(files: list[tuple[str, bytes]], mode: int = PLAIN_FILE) -> bytes:
    """An archive as a package has it, in whatever order and with whatever names."""
    out, lines = bytearray(), []
    for name, content in files:
        crc = zlib.crc32(content)
        line = directory_line(name.encode(), len(content), crc, len(out))
        lines.append(line.replace(PLAIN_FILE.to_bytes(2, "little"), mode.to_bytes(2, "little")))
        out += header(name.encode(), len(content), crc) + content
    directory = b"".join(lines)
    return bytes(out) + directory + ending(len(lines), len(directory), len(out))


def again(files: Mapping[str, bytes]) -> bytes:
    """Files in their order, changed."""
    last = [name for name in (MANIFEST, ENVELOPE) if name in files]
    return zipped([(name, files[name]) for name in [*sorted(files.keys() - set(last)), *last]])


def sealed(base: Base, files: Files, signer: Signer | None = None, **manifest: object) -> bytes:
    """With a manifest that fits the files, signed."""
    return sealed_as(base, files, manifest, signer)


def sealed_as(base: Base, files: Files, manifest: Mapping[str, object], signer: Signer | None = None) -> bytes:
    """The same, its other parts by name."""
    told = json.loads(base.files[MANIFEST]) | dict(manifest)
    rest = {name: content for name, content in files.items() if name not in {MANIFEST, ENVELOPE}}
    told["files"] = {name: [len(content), hashlib.sha256(content).hexdigest()] for name, content in rest.items()}
    signed = canonical(told)
    return again({**rest, MANIFEST: signed, ENVELOPE: seal(signed, PAYLOAD_TYPE, signer or base.signer)})


def flipped(raw: bytes, at: int, rng: Random) -> bytes:
    """One bit or more of one byte."""
    return raw[:at] + bytes([raw[at] ^ rng.randrange(1, 256)]) + raw[at + 1 :]


# --- raw: without a key


def flip_content(base: Base, rng: Random) -> Changed:
    name = rng.choice([name for name in base.names if base.files[name]])
    content = base.files[name]
    start = base.raw.index(header(name.encode(), len(content), zlib.crc32(content))) + 30 + len(name)
    return flipped(base.raw, start + rng.randrange(len(content)), rng), {"file.changed"}


def flip_manifest(base: Base, rng: Random) -> Changed:
    changed = flipped(base.files[MANIFEST], rng.randrange(len(base.files[MANIFEST])), rng)
    return again({**base.files, MANIFEST: changed}), {"signature.invalid", "manifest.unreadable"}


def flip_signature(base: Base, rng: Random) -> Changed:
    envelope = json.loads(base.files[ENVELOPE])
    sig = envelope["signatures"][0]["sig"]
    at = rng.randrange(len(sig) - 4)
    letter = rng.choice([c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghij" if c != sig[at]])
    envelope["signatures"][0]["sig"] = sig[:at] + letter + sig[at + 1 :]
    return again({**base.files, ENVELOPE: json.dumps(envelope).encode()}), {"signature.invalid"}


def flip_structure(base: Base, rng: Random) -> Changed:
    """A byte of a header, of the directory or of the end."""
    name = rng.choice(list(base.files))
    content = base.files[name]
    before = header(name.encode(), len(content), zlib.crc32(content))
    start = base.raw.index(before)
    directory = len(base.raw) - 22 - int.from_bytes(base.raw[-10:-6], "little")
    places = [*range(start, start + len(before)), *range(directory, len(base.raw))]
    kinds = ("structure", "duplicate", "path", "kind", "order", "compressed", "cut", "extra_data", "too_large")
    return flipped(base.raw, rng.choice(places), rng), {f"zip.{kind}" for kind in kinds}


def cut_end(base: Base, rng: Random) -> Changed:
    return base.raw[: rng.randrange(len(base.raw))], {"zip.cut"}


def cut_start(base: Base, rng: Random) -> Changed:
    return base.raw[rng.randrange(1, len(base.raw) // 2) :], {"zip.structure"}


def append(base: Base, rng: Random) -> Changed:
    return base.raw + rng.randbytes(rng.randrange(1, 60)), {"zip.extra_data"}


def between(base: Base, rng: Random) -> Changed:
    name = rng.choice(base.names[1:])
    content = base.files[name]
    at = base.raw.index(header(name.encode(), len(content), zlib.crc32(content)))
    return base.raw[:at] + rng.randbytes(7) + base.raw[at:], {"zip.structure"}


def remove(base: Base, rng: Random) -> Changed:
    gone = rng.choice(list(base.files))
    return again({name: content for name, content in base.files.items() if name != gone}), {"file.missing"}


def add(base: Base, rng: Random) -> Changed:
    name = f"{rng.choice(['report', 'log/1', 'scan', 'decisions'])}/x{rng.randrange(1000)}.json"
    return again({**base.files, name: rng.randbytes(20)}), {"file.extra"}


def swap(base: Base, rng: Random) -> Changed:
    one, other = rng.sample([name for name in base.names if base.files[name]], 2)
    files = {**base.files, one: base.files[other], other: base.files[one]}
    return again(files), {"file.changed"} if base.files[one] != base.files[other] else {"file.changed", "none"}


def reorder(base: Base, rng: Random) -> Changed:
    names = list(base.files)
    rng.shuffle(names)
    return zipped([(name, base.files[name]) for name in names]), {"zip.order"}


def repeat(base: Base, rng: Random) -> Changed:
    name = rng.choice(list(base.files))
    files = [*base.files.items(), (name, rng.choice([base.files[name], b"another"]))]
    return zipped(files), {"zip.duplicate"}


def escape(base: Base, rng: Random) -> Changed:
    name = rng.choice(
        ["../evil", "/etc/passwd", "a/../../b", "a//b", "C:\\x", "a\\b", "report/\u202ex", "x/", "./a", ""]
    )
    return zipped([(name, b"x"), *base.files.items()]), {"zip.path"}


def link(base: Base, rng: Random) -> Changed:
    mode = rng.choice([0o120777, 0o040755, 0o100755, 0o104755, 0])
    return zipped(list(base.files.items()), mode), {"zip.kind"}


def stranger_signs(base: Base, rng: Random) -> Changed:
    name = rng.choice(base.like(r"\.json$|\.csv$|\.html$")[:-2])
    return sealed(base, {**base.files, name: b"forged"}, base.stranger), {"signature.other_key"}


def stranger_takes_all(base: Base, rng: Random) -> Changed:
    """A whole log of somebody else's, with the key of it inside."""
    assert rng
    key = f"{base.stranger.verifier.encode()}\n".encode()
    logs = [{**log, "origin": base.stranger.verifier.name} for log in json.loads(base.files[MANIFEST])["log"]]
    files = {**base.files, "log/1/key.pub": key}
    return sealed(base, files, base.stranger, log=logs), {"signature.other_key"}


def other_signature(base: Base, rng: Random) -> Changed:
    assert rng
    return again({**base.files, ENVELOPE: base.other}), {"signature.invalid"}


def edit(part: str) -> Change:
    """Change a digit of a text file."""

    def change(base: Base, rng: Random) -> Changed:
        name = rng.choice(base.like(part))
        return again({**base.files, name: other_digit(base.files[name], rng)}), {"file.changed"}

    return change


def other_digit(content: bytes, rng: Random) -> bytes:
    places = [match.start() for match in re.finditer(rb"[0-9]", content)]
    at = rng.choice(places)
    digit = rng.choice([d for d in b"123456789" if d != content[at]])
    return content[:at] + bytes([digit]) + content[at + 1 :]


# --- sealed: signed again with the real key


def leaf_edited(base: Base, rng: Random) -> Changed:
    name = rng.choice(base.like("/entries/"))
    entries = split_entries(base.files[name])
    at = rng.randrange(len(entries))
    entries[at] = other_digit(entries[at], rng)
    return sealed(base, {**base.files, name: join_entries(entries)}), {"entries.mismatch"}


def leaves_swapped(base: Base, rng: Random) -> Changed:
    name = rng.choice(base.like("/entries/"))
    entries = split_entries(base.files[name])
    one, other = rng.sample(range(len(entries)), 2)
    entries[one], entries[other] = entries[other], entries[one]
    return sealed(base, {**base.files, name: join_entries(entries)}), {"entries.mismatch"}


def leaf_removed(base: Base, rng: Random) -> Changed:
    name = rng.choice(base.like("/entries/"))
    entries = split_entries(base.files[name])
    del entries[rng.randrange(len(entries))]
    return sealed(base, {**base.files, name: join_entries(entries)}), {"entries.unreadable"}


def tile_edited(base: Base, rng: Random) -> Changed:
    name = rng.choice(base.like(r"/tile/\d/"))
    tile = base.files[name]
    changed = flipped(tile, rng.randrange(len(tile)), rng)
    return sealed(base, {**base.files, name: changed}), {"entries.mismatch", "tile.mismatch", "root.mismatch"}


def tile_cut(base: Base, rng: Random) -> Changed:
    name = rng.choice(base.like(r"/tile/\d/"))
    return sealed(base, {**base.files, name: base.files[name][:-32]}), {"tile.mismatch"}


def tile_removed(base: Base, rng: Random) -> Changed:
    gone = rng.choice(base.like("/tile/"))
    return sealed(base, {name: raw for name, raw in base.files.items() if name != gone}), {"file.missing"}


def older_checkpoint(base: Base, rng: Random) -> Changed:
    assert rng
    return sealed(base, {**base.files, "log/1/checkpoint": base.old_note}), {"checkpoint.other"}


def checkpoint_edited(base: Base, rng: Random) -> Changed:
    note = base.files["log/1/checkpoint"]
    changed = flipped(note, rng.randrange(len(note)), rng)
    return sealed(base, {**base.files, "log/1/checkpoint": changed}), {"checkpoint.signature"}


def row_edited(base: Base, rng: Random) -> Changed:
    lines = base.files[POPULATION].split(b"\r\n")
    at = rng.randrange(1, len(lines) - 1)
    cells = lines[at].split(b",")
    column = rng.choice([0, 1, 2, 3, 4, 5, 8, 9, 10, 12])
    cells[column] = rng.choice([b"1x", b"0", b"deny!", b""])
    lines[at] = b",".join(cells)
    return sealed(base, {**base.files, POPULATION: b"\r\n".join(lines)}), {"population.mismatch"}


def row_removed(base: Base, rng: Random) -> Changed:
    lines = base.files[POPULATION].split(b"\r\n")
    del lines[rng.randrange(1, len(lines) - 1)]
    return sealed(base, {**base.files, POPULATION: b"\r\n".join(lines)}), {"population.mismatch", "population.missing"}


def row_repeated(base: Base, rng: Random) -> Changed:
    lines = base.files[POPULATION].split(b"\r\n")
    at = rng.randrange(1, len(lines) - 1)
    lines.insert(at, lines[at])
    return sealed(base, {**base.files, POPULATION: b"\r\n".join(lines)}), {"population.mismatch"}


def labels_edited(base: Base, rng: Random) -> Changed:
    lines = base.files[POPULATION].split(b"\r\n")
    at = rng.randrange(1, len(lines) - 1)
    cells = lines[at].split(b",")
    cells[11] = b"" if cells[11] else b"pan"
    lines[at] = b",".join(cells)
    return sealed(base, {**base.files, POPULATION: b"\r\n".join(lines)}), {"population.unfixed"}


def chosen_edited(base: Base, rng: Random) -> Changed:
    """A decision that is easier to explain, in place of one that was drawn."""
    told = json.loads(base.files[SAMPLE])
    stratum = rng.choice([each for each in told["strata"] if each["size"] > len(each["chosen"])])
    rows = [line.split(b",")[3].decode() for line in base.files[POPULATION].split(b"\r\n")[1:-1]]
    stratum["chosen"][rng.randrange(len(stratum["chosen"]))] = rng.choice(
        [row for row in rows if row not in stratum["chosen"]]
    )
    return sealed(base, {**base.files, SAMPLE: canonical(told)}), {"sample.mismatch"}


def seed_edited(base: Base, rng: Random) -> Changed:
    told = json.loads(base.files[SAMPLE])
    told["seed"] = rng.randbytes(32).hex()
    return sealed(base, {**base.files, SAMPLE: canonical(told)}), {"sample.seed"}


def sample_of_another(base: Base, rng: Random) -> Changed:
    """Each file of a sample is another sample's."""
    one, other = rng.sample(sorted({name.split("/")[2] for name in base.like("^decisions/samples/")}), 2)
    files = {name: raw for name, raw in base.files.items() if f"/{one}/" not in name}
    files |= {name.replace(other, one): raw for name, raw in base.files.items() if f"/{other}/" in name}
    return sealed(base, files), {"sample.other_leaf"}


def sample_document(base: Base, rng: Random) -> Changed:
    name = rng.choice(base.like("^decisions/samples/.*/(input|decision).json"))
    return sealed(base, {**base.files, name: base.files[name].replace(b"{", b'{"x":1,', 1)}), {"body.mismatch"}


def sample_file_removed(base: Base, rng: Random) -> Changed:
    gone = rng.choice(base.like("^decisions/samples/.*/(leaf|input|decision|proof)"))
    return sealed(base, {name: raw for name, raw in base.files.items() if name != gone}), {"sample.missing"}


def sample_added(base: Base, rng: Random) -> Changed:
    return sealed(base, {**base.files, f"decisions/samples/{rng.randrange(10**9)}/leaf.json": b"{}"}), {"sample.extra"}


def proof_edited(base: Base, rng: Random) -> Changed:
    name = rng.choice(base.like("tlog-proof$"))
    proof = base.files[name]
    lines = proof.split(b"\n")
    at = rng.randrange(3, lines.index(b""))
    lines[at] = lines[at][::-1]
    return sealed(base, {**base.files, name: b"\n".join(lines)}), {"proof.invalid"}


def bundle_edited(base: Base, rng: Random) -> Changed:
    name = rng.choice(base.like("bundle.tar.gz$"))
    raw = base.files[name]
    return sealed(base, {**base.files, name: flipped(raw, rng.randrange(len(raw)), rng)}), {"bundle.mismatch"}


def bundle_removed(base: Base, rng: Random) -> Changed:
    gone = rng.choice(base.like("bundle.tar.gz$"))
    return sealed(base, {name: raw for name, raw in base.files.items() if name != gone}), {"bundle.missing"}


def custody_edited(base: Base, rng: Random) -> Changed:
    lines = base.files["custody.jsonl"].splitlines(keepends=True)
    del lines[rng.randrange(len(lines))]
    return sealed(base, {**base.files, "custody.jsonl": b"".join(lines)}), {"custody.mismatch"}


def number_edited(base: Base, rng: Random) -> Changed:
    name = "report/summary.json"
    told = json.loads(base.files[name])
    told["decisions"]["total"] += rng.randrange(1, 100)
    return sealed(base, {**base.files, name: canonical(told)}), {"report.mismatch"}


def recording_edited(base: Base, rng: Random) -> Changed:
    name = rng.choice(base.like(r"\.gwr$"))
    raw = base.files[name]
    return sealed(base, {**base.files, name: flipped(raw, rng.randrange(len(raw)), rng)}), {"recording.mismatch"}


def end_narrowed(base: Base, rng: Random) -> Changed:
    """The last decisions of the period left out, as if they had come later; the list says the same."""
    (log,) = json.loads(base.files[MANIFEST])["log"]
    lines = base.files[POPULATION].split(b"\r\n")
    kept = lines[: -1 - rng.randrange(1, 20)]
    log["leaves"][1] = int(kept[-1].split(b",")[1]) + 1
    files = {**base.files, POPULATION: b"\r\n".join([*kept, b""])}
    return sealed(base, files, log=[log]), {"population.mismatch"}


def ending_of_another(base: Base, rng: Random) -> Changed:
    """How one statement ended, told of another."""
    one, other = rng.sample(base.like("/ended.tlog-proof$"), 2)
    return sealed(base, {**base.files, one: base.files[other]}), {"sample.other_leaf"}


def anchor_of_another(base: Base, rng: Random) -> Changed:
    """A time-stamp beside a checkpoint that it is not over."""
    name = "log/1/anchors/20300317T174640Z-9-00000000"
    token = hashlib.sha256(rng.randbytes(9)).digest()
    files = {**base.files, f"{name}.tsr": token, f"{name}.checkpoint": base.old_note}
    return sealed(base, files), {"anchor.mismatch"}


def span_narrowed(base: Base, rng: Random) -> Changed:
    """The first block of entries left out, as if the period began later."""
    assert rng
    (log,) = json.loads(base.files[MANIFEST])["log"]
    log["blocks"][0], log["leaves"][0] = 1, max(log["leaves"][0], 256)
    gone = "log/1/tile/entries/000"
    files = {name: raw for name, raw in base.files.items() if name != gone}
    return sealed(base, files, log=[log]), {"period.uncovered"}


RAW: dict[str, Change] = {
    "flip content": flip_content, "flip manifest": flip_manifest, "flip signature": flip_signature,
    "flip structure": flip_structure, "cut end": cut_end, "cut start": cut_start, "append": append, "between": between,
    "remove": remove, "add": add, "swap": swap, "reorder": reorder, "repeat": repeat, "escape": escape, "link": link,
    "stranger signs": stranger_signs, "stranger takes all": stranger_takes_all, "other signature": other_signature,
    "edit csv": edit(r"\.csv$"), "edit html": edit(r"\.html$"), "edit json": edit(r"(summary|leaf)\.json$"),
}  # fmt: skip
SEALED: dict[str, Change] = {
    "leaf edited": leaf_edited, "leaves swapped": leaves_swapped, "leaf removed": leaf_removed,
    "tile edited": tile_edited, "tile cut": tile_cut, "tile removed": tile_removed,
    "older checkpoint": older_checkpoint, "checkpoint edited": checkpoint_edited, "row edited": row_edited,
    "row removed": row_removed, "row repeated": row_repeated, "labels edited": labels_edited,
    "chosen edited": chosen_edited, "seed edited": seed_edited, "sample of another": sample_of_another,
    "sample document": sample_document, "sample file removed": sample_file_removed, "sample added": sample_added,
    "proof edited": proof_edited, "bundle edited": bundle_edited, "bundle removed": bundle_removed,
    "custody edited": custody_edited, "number edited": number_edited, "recording edited": recording_edited,
    "span narrowed": span_narrowed, "anchor of another": anchor_of_another,
    "ending of another": ending_of_another, "end narrowed": end_narrowed,
}  # fmt: skip
CHANGES = RAW | SEALED
