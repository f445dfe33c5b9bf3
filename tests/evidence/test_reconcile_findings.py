"""Findings are put together by who and from where, whatever their number; texts in them are short and clean."""

from gateway.evidence import reconcile_findings
from gateway.evidence.reconcile_findings import EXAMPLES_MAX, GROUPS_MAX, TEXT_MAX, Findings, Kind
from gateway.evidence.reconcile_record import Record


def record(user: str = "u", time_ns: int = 5) -> Record:
    return Record(time_ns, "p", user, "d", "a", "h", "", "")


def test_one_way_in_is_one_finding() -> None:
    findings = Findings()
    for number in range(100):
        findings.add(Kind.UNMARKED, record(time_ns=100 - number), f"SELECT {number % 20}")
    (finding,) = findings.sorted()
    assert (finding.count, finding.first_ns, finding.last_ns, len(finding.examples)) == (100, 1, 100, EXAMPLES_MAX)


def test_more_ways_in_than_can_be_kept_are_still_counted() -> None:
    findings = Findings()
    for number in range(GROUPS_MAX + 50):
        findings.add(Kind.UNMARKED, record(f"u{number}"), "")
    found = findings.sorted()
    assert len(found) == GROUPS_MAX + 1
    assert sum(finding.count for finding in found) == GROUPS_MAX + 50


def test_only_what_is_not_known_says_no() -> None:
    findings = Findings()
    findings.add(Kind.CONNECTION, record(), "", known=True)
    assert not findings.say_no
    findings.add(Kind.CONNECTION, record("other", 1), "", known=False)
    assert findings.say_no
    assert [finding.known for finding in findings.sorted()] == [False, True]


def test_texts_are_short_and_without_card_numbers() -> None:
    findings = Findings()
    findings.add(Kind.UNMARKED, record("4111 1111 1111 1111"), "x" * 1000, name="4111111111111111")
    (finding,) = findings.sorted()
    assert len(finding.examples[0].text) == TEXT_MAX + 1
    assert "1111" not in finding.user + finding.application
    assert reconcile_findings.Example.__struct_fields__ == ("time_ns", "text", "mark")
