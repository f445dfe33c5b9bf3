"""An auditor names witnesses, or the configuration does; only their cosignatures are said to be independent."""

import base64
import json
from pathlib import Path

import pytest

from gateway import cli
from gateway.cli.audit.witnesses import anchors_of, in_words, witnesses_of
from gateway.core.errors import ConfigError
from gateway.evidence.anchor import ask
from gateway.evidence.anchors import keep_anchor
from gateway.evidence.cosign import with_lines
from gateway.evidence.cosigned import keep_cosigned
from gateway.evidence.keys import load_keys, public_key
from gateway.evidence.note import Checkpoint, split_note
from gateway.evidence.proof import verify_proof
from gateway.evidence.reader import LogReader
from tests.cli.audit.world import Written
from tests.config.world import changed, furnish
from tests.evidence.witnesses import CosigningKey
from tests.support.tsa import Authority

WITNESS = CosigningKey()
KEY = WITNESS.key.encode()


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.main(["audit", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def cosign(folder: Path, note: bytes | None = None) -> None:
    prefix = folder / "log/1"
    note = note or (prefix / "checkpoint").read_bytes()
    keep_cosigned(prefix, WITNESS.key, with_lines(note, [WITNESS.line(split_note(note)[0], 1_800_000_000)]))


def test_verify_says_how_old_the_cosignature_of_a_named_witness_is(
    damaged: Written, capsys: pytest.CaptureFixture[str]
) -> None:
    cosign(damaged.folder)
    code, out, _ = run(capsys, "verify", "--data", str(damaged.folder))
    assert (code, "witness.none" in out, "witness.unknown" in out) == (cli.DONE, True, True)
    code, out, _ = run(capsys, "verify", "--data", str(damaged.folder), "--witness-key", KEY)
    assert (code, "witness.none" in out) == (cli.DONE, False)
    assert f"{WITNESS.key.name} cosigned" in out
    code, out, _ = run(capsys, "verify", "--data", str(damaged.folder), "--witness-key", KEY, "--json")
    assert [witness["name"] for witness in json.loads(out)["witnesses"]] == [WITNESS.key.name]


def test_a_proof_carries_the_cosignatures_of_the_checkpoint_it_is_under(
    damaged: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cosign(damaged.folder)
    path, log = tmp_path / "proof", load_keys(damaged.folder / "keys", 1).signer.verifier
    assert run(capsys, "prove", damaged.by_policy, "--data", str(damaged.folder), "-o", str(path))[0] == cli.DONE
    assert [each.witness for each in verify_proof(path.read_bytes(), log, [WITNESS.key]).by] == [WITNESS.key.name]
    key = str(public_key(damaged.folder / "keys", 1))
    _, out, _ = run(capsys, "verify", "--proof", str(path), "--key", key, "--witness-key", KEY)
    assert f"{WITNESS.key.name} at 2027" in out
    _, out, _ = run(capsys, "verify", "--proof", str(path), "--key", key)
    assert "no independent witness; 1 cosignatures are of keys not given" in out
    _, out, _ = run(capsys, "verify", "--proof", str(path), "--key", key, "--witness-key", KEY, "--json")
    assert json.loads(out)["witnesses"] == [{"name": WITNESS.key.name, "at": "1800000000000000000"}]


def test_a_proof_with_a_wrong_cosignature_of_a_named_witness_is_refused(
    damaged: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cosign(damaged.folder)
    path = tmp_path / "proof"
    run(capsys, "prove", damaged.by_policy, "--data", str(damaged.folder), "-o", str(path))
    other = CosigningKey(seed=b"other" + bytes(27))
    line = other.line(split_note((damaged.folder / "log/1/checkpoint").read_bytes())[0], 1)
    head, _, _ = path.read_bytes().rpartition("— ".encode())
    encoded = line.rsplit(" ", 1)[1]
    forged = WITNESS.key.key_id + base64.b64decode(encoded)[4:]
    path.write_bytes(head + f"— {WITNESS.key.name} {base64.b64encode(forged).decode()}\n".encode())
    key = str(public_key(damaged.folder / "keys", 1))
    code, out, _ = run(capsys, "verify", "--proof", str(path), "--key", key, "--witness-key", KEY)
    assert (code, "the cosignature of" in out) == (cli.SAYS_NO, True)


def test_a_decision_no_witness_has_seen_is_proved_under_the_newest_checkpoint_and_that_is_said(
    damaged: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reader, log = LogReader(damaged.folder, 1), load_keys(damaged.folder / "keys", 1).signer
    cosign(damaged.folder, log.sign(Checkpoint(log.verifier.name, 1, reader.node()(0, 0)).text()))
    path = tmp_path / "proof"
    arguments = ("prove", damaged.by_policy, "--data", str(damaged.folder), "-o", str(path))
    code, _, err = run(capsys, *arguments, "--witness-key", KEY)
    assert (code, "no witness has cosigned a checkpoint with this decision yet" in err) == (cli.DONE, True)
    assert verify_proof(path.read_bytes(), log.verifier).checkpoint == reader.checkpoint


def test_a_tree_that_is_not_this_logs_proves_nothing(damaged: Written, capsys: pytest.CaptureFixture[str]) -> None:
    log = load_keys(damaged.folder / "keys", 1).signer
    size = LogReader(damaged.folder, 1).checkpoint.size
    cosign(damaged.folder, log.sign(Checkpoint(log.verifier.name, size, b"x" * 32).text()))
    code, out, err = run(capsys, "prove", damaged.by_policy, "--data", str(damaged.folder), "--witness-key", KEY)
    assert (code, out) == (cli.SAYS_NO, "")
    assert "does not stand in the tree that was cosigned" in err


def test_the_configuration_names_witnesses_too(tmp_path: Path) -> None:
    folder = furnish(tmp_path)
    text = changed("evidence.witnesses", [{"url": "https://w.example", "key": KEY}])
    (folder / "gateway.yaml").write_text(text, encoding="utf-8")
    assert [key.encode() for key in witnesses_of((), folder / "gateway.yaml", configured=True)] == [KEY]
    assert witnesses_of((), folder / "gateway.yaml", configured=False) == ()


def test_keys_come_from_a_file_as_well(tmp_path: Path) -> None:
    second, path = CosigningKey("w2", seed=b"2" * 32).key.encode(), tmp_path / "witnesses"
    path.write_text(f"# ours\n{KEY}\n\n{second}\n", encoding="utf-8")
    assert [key.encode() for key in witnesses_of([str(path)], None, configured=True)] == [KEY, second]


@pytest.mark.parametrize("text", ["name+00000000+AQ==", KEY.replace("w1+", "w2+")])
def test_what_is_no_key_of_a_witness_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="--witness-key"):
        witnesses_of([text], None, configured=True)


@pytest.mark.parametrize("content", [b"nonsense\n", b"\xff\xfe"])
def test_what_is_no_file_of_keys_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "keys").write_bytes(content)
    with pytest.raises(ConfigError, match="one a line"):
        witnesses_of([str(tmp_path / "keys")], None, configured=True)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        witnesses_of([str(tmp_path / "nowhere")], None, configured=True)


def test_nobody_is_no_witness() -> None:
    assert in_words((), 0) == "no independent witness"


def test_time_stamps_are_verified_by_the_roots_that_were_given_or_configured(
    damaged: Written, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    authority, prefix = Authority(tmp_path / "tsa"), damaged.folder / "log/1"
    note = (prefix / "checkpoint").read_bytes()
    keep_anchor(prefix, "http://tsa", 1_800_000_000_000_000_000, 1, (note, authority.reply(ask(note).body)))
    _, out, _ = run(capsys, "verify", "--data", str(damaged.folder))
    assert "anchor.unchecked" in out
    code, out, _ = run(capsys, "verify", "--data", str(damaged.folder), "--anchor-ca", str(authority.roots))
    assert (code, "1 time-stamps; the last, by" in out) == (cli.DONE, True)
    folder = furnish(tmp_path)
    text = changed("evidence.anchors", [{"url": "http://tsa", "ca": str(authority.roots)}])
    (folder / "gateway.yaml").write_text(text, encoding="utf-8")
    assert len(anchors_of(None, folder / "gateway.yaml", configured=True)) == 1
    assert anchors_of(None, folder / "gateway.yaml", configured=False) == ()


def test_roots_that_are_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "roots").write_bytes(b"nothing")
    with pytest.raises(ConfigError, match="PEM"):
        anchors_of(tmp_path / "roots", None, configured=True)
