"""`policy try` says what would be decided, by the journey every statement takes, and executes nothing."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from gateway import cli
from tests.support import certificates
from tests.support.bundle import everything_but_clear, write_signed_bundle
from tests.support.gateway import Upstream, write_configuration
from tests.support.identity import Issuer
from tests.support.postgres import Cluster, password_of

DENY_DROP = [{"actions": ["drop"], "connections": ["*"]}]
Try = Callable[..., tuple[int, list[dict[str, object]]]]


@pytest.fixture(scope="module")
def folder(
    cluster: Cluster, payments_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, Issuer]]:
    """A configuration, a bundle and a token; no gateway runs."""
    made, issuer = tmp_path_factory.mktemp("try"), Issuer()
    issuer.write_jwks(made / "jwks.json")
    certificates.issue(made)
    clear = [{"groups": ["pan-readers"], "connections": ["payments"], "labels": ["pan"], "reason_required": True}]
    write_signed_bundle(made, everything_but_clear("payments", deny=DENY_DROP, clear=clear))
    name = cluster.create_database(payments_template)
    write_configuration(made, 6432, cluster, {"payments": Upstream(name)}, {})
    (made / "token").write_text(issuer.token())
    yield made, issuer
    cluster.drop_database(name)


@pytest.fixture
def try_it(folder: tuple[Path, Issuer], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Try:
    made, _ = folder
    monkeypatch.setenv("PASSWORD_AGENT_RO", password_of("agent_ro"))

    def run(sql: str, *options: str, who: str = "token") -> tuple[int, list[dict[str, object]]]:
        where = ["-c", str(made / "gateway.yaml"), "--as", str(made / who), "--connection", "payments"]
        capsys.readouterr()
        code = cli.main(["policy", "try", *where, *options, "--json", "--", sql])
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return code, json.loads(said.out or "[]")

    return run


def codes(ruling: dict[str, object]) -> Sequence[str]:
    findings = ruling["findings"]
    assert isinstance(findings, list)
    return [finding["code"] for finding in findings]


def test_a_masked_statement_shows_facts_decision_rule_and_what_would_be_sent(try_it: Try) -> None:
    code, (ruling,) = try_it("SELECT pan, cvv FROM cards")
    assert (code, ruling["outcome"]) == (0, "mask")
    assert codes(ruling)[:2] == ["pci.cardholder.sensitive", "pci.cardholder.masked"]
    assert "right(" in str(ruling["rewritten"])
    document = ruling["input"]
    assert isinstance(document, dict)
    assert document["spec"] == "querywarden/input/v1"


def test_a_denied_statement_exits_1_with_rule_file_and_line(try_it: Try) -> None:
    code, (ruling,) = try_it("DROP TABLE cards")
    assert (code, ruling["outcome"], ruling["rewritten"]) == (1, "deny", None)
    findings = ruling["findings"]
    assert isinstance(findings, list)
    assert findings[0]["file"].endswith(".rego")
    assert findings[0]["line"] > 0
    assert findings[0]["controls"]


def test_every_statement_of_a_text_is_judged_and_one_denial_withholds_the_rest(try_it: Try) -> None:
    code, rulings = try_it("SELECT 1; DROP TABLE cards")
    assert code == 1
    refusals = [ruling["refusal"] for ruling in rulings]
    assert [refusal["code"] for refusal in refusals if isinstance(refusal, dict)] == [
        "statement.withheld",
        "access.blocked",
    ]


def test_a_person_written_down_as_json_is_judged_like_a_token(try_it: Try, folder: tuple[Path, Issuer]) -> None:
    (folder[0] / "reader.json").write_text('{"subject": "fraud", "groups": ["agents", "pan-readers"]}')
    _, (without,) = try_it("SELECT pan FROM cards", who="reader.json")
    assert without["outcome"] == "mask"
    _, (with_reason,) = try_it("SELECT pan FROM cards", "--reason", "chargeback 881", who="reader.json")
    assert with_reason["outcome"] == "allow"


def test_hours_and_programs_can_be_tried(try_it: Try, folder: tuple[Path, Issuer], tmp_path: Path) -> None:
    site = everything_but_clear(
        "payments", hours=[{"from": 480, "to": 1080}], application_identities=[{"subjects": ["svc-*"]}]
    )
    write_signed_bundle(tmp_path, site)
    other = folder[0] / "hours.tar.gz"
    other.write_bytes((tmp_path / "bundle.tar.gz").read_bytes())
    (folder[0] / "svc.json").write_text('{"subject": "svc-a", "groups": ["agents"]}')
    options = ("--bundle", str(other), "--at")
    assert try_it("SELECT 1", *options, "2026-11-25T12:00:30Z", who="svc.json")[0] == 0
    code, (late,) = try_it("SELECT 1", *options, "2026-11-25T18:00:00Z", who="svc.json")
    assert (code, "access.hours" in codes(late)) == (1, True)
    _, (person,) = try_it("SELECT 1", *options, "2026-11-25T12:00:00Z", "--application", "psql", who="svc.json")
    assert codes(person)[0] == "access.interactive"
    assert isinstance(person["input"], dict)
    assert person["input"]["context"]["time"] == "2026-11-25T12:00:00Z"
    assert person["statement"]
    assert person["input_sha256"]


def test_breaking_the_glass_can_be_tried(try_it: Try, folder: tuple[Path, Issuer], tmp_path: Path) -> None:
    glass = [{"groups": ["incident"], "connections": ["payments"], "labels": ["pan"]}]
    write_signed_bundle(tmp_path, everything_but_clear("payments", break_glass=glass))
    other = folder[0] / "glass.tar.gz"
    other.write_bytes((tmp_path / "bundle.tar.gz").read_bytes())
    (folder[0] / "incident.json").write_text('{"subject": "ada", "groups": ["agents", "incident"]}')
    asked = ("SELECT pan, cvv FROM cards", "--bundle", str(other), "--reason", "processor down")
    code, (refused,) = try_it(*asked, who="incident.json")
    assert (code, codes(refused)[0]) == (1, "pci.breakglass.unexplained")
    code, (shown,) = try_it(*asked, "--ticket", "INC-9", who="incident.json")
    assert (code, shown["outcome"]) == (0, "mask")
    assert "pci.breakglass.used" in codes(shown)
    assert "pan, NULL::text AS cvv" in str(shown["rewritten"])
    assert "right(" not in str(shown["rewritten"])


def test_a_moment_that_is_none_is_a_usage_error(folder: tuple[Path, Issuer]) -> None:
    where = ["-c", str(folder[0] / "gateway.yaml"), "--as", str(folder[0] / "token"), "--connection", "payments"]
    assert cli.main(["policy", "try", *where, "--at", "noon", "SELECT 1"]) == cli.USAGE


def test_what_is_no_sql_is_a_denial_and_not_an_error(try_it: Try) -> None:
    code, (ruling,) = try_it("foo bar")
    assert (code, ruling["outcome"]) == (1, "deny")


def test_nothing_is_executed(try_it: Try, cluster: Cluster) -> None:
    marker = "querywarden_try_marker"
    try_it(f"SELECT 1 AS {marker}")
    assert marker not in cluster.log.read_text(encoding="utf-8", errors="replace")


@pytest.mark.parametrize("bad", ["expired", "forged"])
def test_a_token_that_would_not_get_in_is_refused_here_too(try_it: Try, folder: tuple[Path, Issuer], bad: str) -> None:
    made, issuer = folder
    claims = issuer.claims(exp=1_000_000_000) if bad == "expired" else issuer.claims()
    (made / bad).write_text((issuer if bad == "expired" else Issuer()).sign(claims))
    assert try_it("SELECT 1", who=bad) == (1, [])


def test_in_words_it_reads_line_by_line(
    folder: tuple[Path, Issuer], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _ = folder
    monkeypatch.setenv("PASSWORD_AGENT_RO", password_of("agent_ro"))
    where = ["-c", str(made / "gateway.yaml"), "--as", str(made / "token"), "--connection", "payments"]
    assert cli.main(["policy", "try", *where, "SELECT pan FROM cards WHERE id = 77"]) == 0
    said = capsys.readouterr().out
    for start in (
        "statement  SELECT pan FROM cards WHERE id = ?",
        "action     select (read)",
        "relation   public.cards",
    ):
        assert start in said
    for start in ("column     public.cards.pan [pan] in select", "decision   mask", "reason     pci.cardholder.masked"):
        assert start in said


def test_an_unknown_connection_is_a_usage_error(folder: tuple[Path, Issuer]) -> None:
    made, _ = folder
    where = ["-c", str(made / "gateway.yaml"), "--as", str(made / "token"), "--connection", "elsewhere"]
    assert cli.main(["policy", "try", *where, "SELECT 1"]) == cli.USAGE
