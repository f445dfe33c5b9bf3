"""Two logs beside each other: what is ours is recognised, everything else is named, what cannot be said is not."""
# ruff: noqa: E501 -- tables of statements and lines of logs

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import pytest

from gateway.evidence.reconcile import OUR_LOG, Question, Reconciliation, Verdict, reconcile
from gateway.evidence.reconcile_findings import Kind
from gateway.evidence.reconcile_ours import Ours, own_hash
from gateway.evidence.reconcile_record import Record, Unread
from tests.evidence.server_log import START_NS, Log, Said, did, sid

ONE, OTHER = sid(1), sid(2)
TEXT = "SELECT ? FROM t"
OWN = "SELECT catalog"
SLACK = 1_000_000_000


def shapes(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";"))


def plan(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def marked(number: int, text: str = TEXT) -> str:
    return f"/* querywarden:{did(number)} */ {text}"


def ours(*, closed: bool = False) -> Ours:
    """Session ONE: a query (1), a message of two (2), a refusal (4), something prepared (5) and run twice; OTHER: (8)."""
    log = Log()
    log.opened(ONE)
    log.decided(ONE, did(1), plan(TEXT))
    log.finished(ONE, did(1))
    log.decided(ONE, did(2), plan("BEGIN"))
    log.decided(ONE, did(3), plan("UPDATE"), mark=did(2))
    log.finished(ONE, did(2))
    log.decided(ONE, did(4), "", ok=False)
    log.decided(ONE, did(5), plan("FETCH"), phase="parse")
    for number in (6, 7):
        log.decided(ONE, did(number), plan("FETCH"), phase="execute", mark=did(5))
        log.finished(ONE, did(number))
    log.opened(OTHER)
    log.decided(OTHER, did(8), plan("COMMIT"))
    log.finished(OTHER, did(8))
    if closed:
        log.closed(ONE)
    return log.ours()


def said(text: str, session: str = ONE, **more: object) -> Said:
    step = str(more.pop("step", "statement"))
    pid = int(str(more.pop("pid", 70 + int(session[-1]))))
    return Said(f"{step}: {text}", application=f"qw/{session}", pid=pid, **more)  # type: ignore[arg-type]  # fields of it


ALL = (
    said(marked(1)),
    said(marked(2, "BEGIN; UPDATE")),
    said(marked(5, "FETCH"), step="execute <unnamed>"),
    said(marked(5, "FETCH"), step="execute fetch from a: b/c"),
    said(marked(8, "COMMIT"), OTHER),
)


def record(each: Said) -> Record:
    return Record(
        START_NS + round(each.seconds * 1e9), each.session, each.user, each.database, each.application, each.address,
        "", each.message, each.statement, each.number,
    )  # fmt: skip


ASKED = Question(database="payments", shapes=shapes, own=frozenset({own_hash([OWN])}), slack_ns=0)


def compared(
    *more: Said | Unread, lines: Sequence[Said] = ALL, mine: Ours | None = None, **question: object
) -> Reconciliation:
    """The lines between two that only show how far the log reaches."""
    edges = (Said("checkpoint", 0, database=""), Said("checkpoint", 9, database=""))
    records = [each if isinstance(each, Unread) else record(each) for each in (edges[0], *lines, *more, edges[1])]
    asked = replace(ASKED, **question)  # type: ignore[arg-type]  # fields of it
    return reconcile(records, ours() if mine is None else mine, asked)


def kinds(answer: Reconciliation) -> list[Kind]:
    return [finding.kind for finding in answer.findings]


def test_what_is_ours_is_recognised() -> None:
    answer = compared()
    assert (answer.verdict, answer.findings, answer.missing, answer.matched, answer.sessions) == (
        Verdict.COMPLETE,
        (),
        0,
        5,
        2,
    )
    assert answer.ok
    assert answer.clocks is not None


@pytest.mark.parametrize(
    "line",
    [
        said("", ONE), said(" ;\n", ONE),
        Said("syntax error", application=f"qw/{ONE}", pid=71, statement="querywarden refused"),
        Said("division by zero", application=f"qw/{ONE}", pid=71, statement=marked(1)),
        Said("duration: 0.1 ms", application="x"),
        Said("disconnection: session time: 0:00:00.066 user=app database=payments", application="x"),
        Said(f"connection authorized: user=app database=payments application_name=qw/{ONE} SSL enabled (protocol=TLSv1.3, cipher=X, bits=256)", pid=71),
        Said("statement: SELECT 1", database="postgres"),
        Said('automatic vacuum of table "payments.public.t"', database="", user=""),
        Said(f"statement: {OWN}", application="querywarden/catalog"),
        Said("connection authorized: user=app database=payments application_name=querywarden/catalog"),
        Said("replication slot created", database=""),
    ],
)  # fmt: skip
def test_what_is_no_statement_of_anybody_elses_is_left_alone(line: Said) -> None:
    assert compared(line).verdict is Verdict.COMPLETE


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (Said("statement: SELECT 1", application="psql"), Kind.UNMARKED),
        (Said("execute S_1: SELECT 1"), Kind.UNMARKED),
        (Said("duration: 1.2 ms  statement: SELECT 1"), Kind.UNMARKED),
        (Said("duration: 1.2 ms  bind <unnamed>: SELECT 1"), Kind.UNMARKED),
        (Said('fastpath function call: "lo_get" (OID 1)'), Kind.UNMARKED),
        (Said("permission denied", statement="SELECT * FROM t"), Kind.UNMARKED),
        (Said("connection authorized: user=app database=payments application_name=psql"), Kind.CONNECTION),
        (Said("connection authorized: user=app database=payments"), Kind.CONNECTION),
        (Said("replication connection authorized: user=copier", database=""), Kind.REPLICATION),
        (Said("received replication command: BASE_BACKUP", database=""), Kind.REPLICATION),
        (said("SELECT 1"), Kind.UNMARKED),
        (said("SELECT 1 " + marked(1)), Kind.UNMARKED),
        (said("execute x: " + marked(1)), Kind.UNMARKED),
        (said(marked(9)), Kind.UNKNOWN),
        (said(marked(4)), Kind.REFUSED),
        (said(marked(8, "COMMIT")), Kind.FOREIGN),
        (Said("statement: " + marked(1), application="psql"), Kind.FOREIGN),
        (said(marked(1, "SELECT pan FROM t")), Kind.ALTERED),
        (said(marked(1, TEXT + "; DROP")), Kind.ALTERED),
        (said(marked(1, "querywarden refused")), Kind.ALTERED),
        (said(marked(1)), Kind.REUSED),
        (said(marked(5, "FETCH"), step="execute y"), Kind.REUSED),
        (said(marked(1), pid=99), Kind.CLAIMED),
        (said("", pid=99), Kind.CLAIMED),
        (said(marked(1), sid(3)), Kind.CLAIMED),
        (Said(f"connection authorized: user=app database=payments application_name=qw/{ONE}", pid=99), Kind.CLAIMED),
        (Said("statement: SELECT pan FROM t", application="querywarden/catalog"), Kind.PRETENDED),
        (Said(f"statement: {OWN}; SELECT pan", application="querywarden/doctor"), Kind.PRETENDED),
    ],
)
def test_everything_else_is_named(line: Said, kind: Kind) -> None:
    answer = compared(line)
    assert kinds(answer) == [kind]
    assert answer.verdict is Verdict.ROUND
    assert not answer.ok
    (finding,) = answer.findings
    assert (finding.user, finding.address, finding.count) == (line.user, "10.0.0.7", 1)


def test_a_session_of_ours_that_goes_on_after_its_end_is_none() -> None:
    late = said(marked(1), seconds=8, pid=71)
    answer = compared(late, mine=ours(closed=True), slack_ns=SLACK)
    assert kinds(answer) == [Kind.CLAIMED]


def test_a_process_id_that_comes_again_is_another_session() -> None:
    def pid_only(each: Said) -> Record:
        found = record(each)
        return Record(
            found.time_ns,
            str(each.pid),
            *[getattr(found, n) for n in ("user", "database", "application", "address", "backend", "message")],
        )

    lines = [*ALL, Said("connection received: host=10.0.0.8 port=1", pid=71), said("", pid=71)]
    asked = Question(database="payments", shapes=shapes, slack_ns=0)
    assert kinds(reconcile(map(pid_only, lines), ours(), asked)) == [Kind.CLAIMED]


def test_an_error_is_no_second_statement() -> None:
    error = Said("boom", application="psql", statement="SELECT 1", pid=5)
    answer = compared(Said("statement: SELECT 1", application="psql", pid=5), error)
    assert [finding.count for finding in answer.findings] == [1]


def test_known_users_are_named_but_no_reason_to_say_no() -> None:
    answer = compared(Said("statement: SELECT 1", user="backup"), known_users=frozenset({"backup"}))
    assert (kinds(answer), answer.findings[0].known, answer.verdict) == ([Kind.UNMARKED], True, Verdict.COMPLETE)
    stolen = compared(said(marked(1), pid=99, user="backup"), known_users=frozenset({"backup"}))
    assert stolen.verdict is Verdict.ROUND


def test_what_we_forwarded_and_the_server_does_not_have_is_missing() -> None:
    answer = compared(lines=ALL[:-1])
    assert (answer.verdict, answer.missing, answer.missing_examples) == (Verdict.INCOMPLETE, 1, (did(8),))
    answer = compared(lines=(*ALL[:2], ALL[3], ALL[4]))
    assert (answer.missing, answer.missing_examples) == (1, (did(5),))


def test_what_lies_beyond_the_edges_of_the_servers_log_is_not_missed() -> None:
    answer = compared(lines=ALL[:-1], slack_ns=20 * SLACK)
    assert (answer.missing, answer.verdict) == (0, Verdict.COMPLETE)


def test_clocks_that_differ_are_taken_off() -> None:
    lines = [Said(each.message, each.seconds + 600, application=each.application, pid=each.pid) for each in ALL]
    edges = (Said("checkpoint", 600, database=""), Said("checkpoint", 609, database=""))
    asked = Question(database="payments", shapes=shapes, slack_ns=SLACK)
    answer = reconcile(map(record, (edges[0], *lines, edges[1])), ours(closed=True), asked)
    assert answer.verdict is Verdict.COMPLETE
    assert answer.clocks is not None
    assert 600_000 < answer.clocks.median_ms < 602_000


@pytest.mark.parametrize(
    ("lines", "setting"),
    [((), "log_statement = all"), ([said(marked(2, "BEGIN; UPDATE"))], ""), ([ALL[1]], "")],
)
def test_a_log_without_statements_cannot_tell(lines: Sequence[Said], setting: str) -> None:
    answer = compared(lines=lines)
    assert answer.verdict is (Verdict.UNDECIDABLE if setting else Verdict.INCOMPLETE)
    assert [need.setting for need in answer.needs] == ([setting] if setting else [])


def test_a_log_without_reading_statements_cannot_tell() -> None:
    log = Log()
    log.opened(ONE)
    log.decided(ONE, did(1), plan(TEXT))
    log.finished(ONE, did(1))
    log.decided(ONE, did(2), plan("UPDATE"), act="update")
    log.finished(ONE, did(2))
    answer = compared(lines=[said(marked(2, "UPDATE"))], mine=log.ours())
    assert (answer.verdict, answer.needs[0].setting) == (Verdict.UNDECIDABLE, "log_statement = all")


def test_an_empty_time_cannot_tell() -> None:
    answer = compared(since_ns=1 << 62)
    assert (answer.verdict, answer.needs[0].setting) == (Verdict.UNDECIDABLE, "log_statement = all")


def test_marks_our_log_cannot_have_are_not_called_made_up_but_the_answer_is_open() -> None:
    later = f"/* querywarden:{did(1).replace('019a', '019b', 1)} */ SELECT"
    answer = compared(said(later))
    assert (answer.findings, answer.verdict, answer.needs[0].setting) == ((), Verdict.UNDECIDABLE, OUR_LOG)


def test_without_names_a_mark_is_told_by_its_text_and_its_number() -> None:
    lines = [record(each) for each in ALL]
    nameless = [
        Record(
            each.time_ns,
            each.process,
            each.user,
            each.database,
            None,
            each.address,
            "",
            each.message.replace("a: b/c", "a"),
        )
        for each in lines
    ]
    asked = Question(database="payments", shapes=shapes, carries_names=False, slack_ns=0)
    answer = reconcile(nameless, ours(), asked)
    assert (answer.verdict, answer.needs[0].setting) == (Verdict.COMPLETE, "log_line_prefix")
    assert kinds(reconcile([*nameless, nameless[0]], ours(), asked)) == [Kind.REUSED]


def test_gaps_and_what_cannot_be_read_are_no_complete_log() -> None:
    assert compared(Unread(9)).verdict is Verdict.INCOMPLETE
    numbered = (said("", number=1), said("", number=2), said("", number=4))
    answer = compared(*numbered)
    assert (answer.gaps, answer.verdict) == (1, Verdict.INCOMPLETE)
    assert compared(*numbered[:2]).verdict is Verdict.COMPLETE


def test_a_text_that_is_cut_is_not_compared_and_counted() -> None:
    lines = [record(each) for each in ALL]
    shorter = replace(lines[0], message=lines[0].message[:-4], cut=True)
    answer = reconcile([shorter, *lines[1:]], ours(), Question(database="payments", shapes=shapes, slack_ns=0))
    assert (answer.verdict, answer.unclear) == (Verdict.COMPLETE, 1)


def test_no_card_number_is_told() -> None:
    card = "4111111111111111"
    answer = compared(Said(f"statement: SELECT {card}", user=card, application=f"a {card}"))
    assert card not in repr(answer)
