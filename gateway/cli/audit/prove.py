"""`querywarden audit prove`: one decision's proof, as a file that anyone can verify with the log's public key."""

import sys
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from gateway.cli.audit.desk import (
    FINE,
    SAYS_NO,
    ConfigOption,
    DataOption,
    KeyOption,
    Unreadable,
    data_folder,
    reading,
    trusted,
)
from gateway.cli.audit.witnesses import WitnessOption, in_words, witnesses_of
from gateway.cli.audit.words import as_json as written
from gateway.cli.audit.words import moment, printable, rows
from gateway.core.errors import ConfigError
from gateway.evidence.cosign import WitnessKey
from gateway.evidence.explain import tell
from gateway.evidence.files import put_file
from gateway.evidence.keys import find_verifier
from gateway.evidence.note import Verifier
from gateway.evidence.proof import ProofError, Proven, origin_of, verify_proof, write_cosigned_proof, write_proof
from gateway.evidence.reader import LogReader, open_epochs


def prove(  # noqa: PLR0913, D417 -- options that say themselves what they are
    decision: str,
    /,
    *,
    config: ConfigOption = None,
    data: DataOption = None,
    key: KeyOption = None,
    witness_key: WitnessOption = (),
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
) -> int:
    """Write the proof of one decision (C2SP tlog-proof): leaf, path, signed checkpoint. Exits 1 when there is none.

    The checkpoint is the one that the most witnesses have cosigned, when it has the decision; else the newest.

    Parameters
    ----------
    decision
        The decision's id.
    config
        The configuration file, which names the data folder. Default: gateway.yaml.
    data
        The data folder itself.
    key
        The log's public key, kept elsewhere. Without it the one beside the log is believed.
    output
        The file. Default: standard output.

    """
    keys = witnesses_of(witness_key, config, configured=data is None)
    proof = _prove(data_folder(config, data), decision, trusted(key), keys)
    if output is None:
        sys.stdout.write(proof.decode())
    else:
        put_file(output, proof)
    return FINE


def _prove(folder: Path, decision: str, verifier: Verifier | None, keys: tuple[WitnessKey, ...]) -> bytes:
    """The file. Raises Unreadable when there is no such decision, or nothing that proves it."""
    with reading():
        story = tell(folder, decision, verifier)
    if story is None:
        raise Unreadable("audit.unknown_decision", f"{printable(decision)}: the log has no such decision")
    try:
        with reading():
            cosigned = write_cosigned_proof(story, _reader(folder, story.epoch, verifier), keys or None)
        proof = cosigned or write_proof(story)
    except ProofError as error:
        raise Unreadable("audit.unproved", str(error)) from None
    if keys and cosigned is None:
        sys.stderr.write("no witness has cosigned a checkpoint with this decision yet; the newest one is taken\n")
    return proof


def _reader(folder: Path, epoch: int, verifier: Verifier | None) -> LogReader:
    """That epoch; the key that was given is of the last one."""
    return next(reader for reader in open_epochs(folder, verifier) if reader.epoch == epoch)


def check_proof(
    path: Path, folder: Path | None, key: Path | None, witnesses: tuple[WitnessKey, ...] = (), *, as_json: bool
) -> int:
    """`audit verify --proof`: signature, path, and what the leaf says. Raises ConfigError, OSError."""
    data = path.read_bytes()
    try:
        verifier = trusted(key) or _beside(folder, data)
        proven = verify_proof(data, verifier, witnesses)
    except ProofError as error:
        if as_json:
            sys.stdout.write(written({"ok": False, "why": str(error)}))
        else:
            sys.stdout.write(f"NOT proved: {printable(str(error))}\n")
        return SAYS_NO
    sys.stdout.write(written(_plain(proven)) if as_json else _in_words(proven))
    if key is None and not as_json:
        sys.stdout.write("The key that lies beside the log was believed; --key takes one kept elsewhere.\n")
    return FINE


def _beside(folder: Path | None, data: bytes) -> Verifier:
    """The key of the log that the proof names, from a data folder. Raises ConfigError and ProofError."""
    if folder is None:
        raise ConfigError("config.invalid", "whose signature? Give --key, or --data DIR")
    origin = origin_of(data)
    found = find_verifier(folder / "keys", origin)
    if found is None:
        raise ProofError(f"the proof is of {origin}; no such log is here")
    return found


def _plain(proven: Proven) -> dict[str, object]:
    leaf, checkpoint = proven.leaf, proven.checkpoint
    return {
        "ok": True,
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "index": proven.number,
        "leaf": leaf,
        "witnesses": [{"name": each.witness, "at": str(each.at * 10**9)} for each in proven.by],
        "other_cosignatures": proven.others,
    }


def _in_words(proven: Proven) -> str:
    leaf, checkpoint = proven.leaf, proven.checkpoint
    return rows(
        [
            ("proved", f"leaf {proven.number} of the {checkpoint.size} that {printable(checkpoint.origin)} has signed"),
            ("root", checkpoint.root.hex()),
            ("cosigned", printable(in_words(proven.by, proven.others))),
            ("decision", printable(leaf.did)),
            ("when", moment(int(leaf.t))),
            ("who", printable(leaf.who.id) if leaf.who else ""),
            ("what", printable(f"{leaf.act} on {leaf.res}".strip())),
            ("outcome", printable(leaf.outcome)),
            ("bundle", printable(leaf.bundle)),
        ]
    )
