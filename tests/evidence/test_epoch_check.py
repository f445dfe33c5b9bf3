"""One epoch verified once; what it finds is in test_verify, test_verified and test_pruning."""

from pathlib import Path

from gateway.evidence.bodies import BodyCheck
from gateway.evidence.epoch_check import EpochCheck
from gateway.evidence.pruned import Mark, write_mark
from gateway.evidence.reader import open_epochs
from tests.evidence.conftest import MakeLog


def test_where_there_are_several_epochs_each_finding_says_of_which(a_log: MakeLog) -> None:
    folder = a_log()
    (folder / "log/1/checkpoint").unlink()
    with BodyCheck(folder / "objects") as bodies:
        check = EpochCheck(open_epochs(folder)[0], bodies, None, resume=False)
        check.run(None)
        assert {finding.where for finding in check.findings_of(several=False)} >= {"checkpoint"}
        assert all(finding.where.startswith("epoch 1, ") for finding in check.findings_of(several=True))
        assert check.verified(1) is None


def test_it_knows_when_leaves_were_pruned_while_it_ran(a_log: MakeLog) -> None:
    folder = a_log()
    with BodyCheck(folder / "objects") as bodies:
        check = EpochCheck(open_epochs(folder)[0], bodies, None, resume=False)
        check.run(None)
        assert not check.overtaken()
        write_mark(folder / "log/1", Mark(size=256, leaf=300, epoch=1))
        assert check.overtaken()


def test_a_whole_epoch_can_be_gone_on_from(finished_log: Path) -> None:
    with BodyCheck(finished_log / "objects") as bodies:
        check = EpochCheck(open_epochs(finished_log)[0], bodies, None, resume=False)
        report = check.run(None)
    verified = check.verified(7)
    assert check.sound
    assert verified is not None
    assert (verified.size, verified.since_ns, verified.at_ns) == (report.size // 256 * 256, 7, 7)
