"""Names of site data that lead nowhere are a no; code that hangs on governed tables is reported."""

from pathlib import Path

import pytest

from tests.cli.doctor.world import ask, place
from tests.support.bundle import Site, everything_but_clear
from tests.support.postgres import Cluster

TRIGGER = """\
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER watched BEFORE INSERT ON cards FOR EACH ROW EXECUTE FUNCTION note();
CREATE TABLE harmless (id int);
CREATE TRIGGER unwatched BEFORE INSERT ON harmless FOR EACH ROW EXECUTE FUNCTION note();
"""


def test_what_site_data_names_and_the_database_lacks_is_a_no(
    tmp_path: Path, cluster: Cluster, tidy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    usual = everything_but_clear("payments")
    wrong = {"payments": {"public.cards": {"pam": ["pan"]}, "public.carsd": {"pan": ["pan"]}}}
    said = ask(place(tmp_path, cluster, tidy, site=Site(wrong, usual.access)), capsys)
    assert said.code == 1
    assert said.amiss() == [
        ("governed", "classification: public.cards has no column pam"),
        ("governed", "classification: there is no relation public.carsd"),
    ]


def test_a_trigger_on_a_governed_table_is_reported_and_one_elsewhere_is_not(
    tmp_path: Path, cluster: Cluster, tidy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster.run(TRIGGER, tidy)
    said = ask(place(tmp_path, cluster, tidy), capsys)
    assert said.about("triggers") == [
        ("note", "trigger public.cards.cards_audit runs on update: such writes are denied"),
        ("note", "trigger public.cards.watched runs on insert: such writes are denied"),
    ]
    assert said.code == 0


def test_a_trigger_that_site_data_allows_is_told_as_such(
    tmp_path: Path, cluster: Cluster, tidy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    site = everything_but_clear("payments", triggers={"allow": ["public.cards.cards_audit"]})
    ((status, text),) = ask(place(tmp_path, cluster, tidy, site=site), capsys).about("triggers")
    assert status == "note"
    assert text.endswith("as site data allows")


def test_a_column_no_agent_sees_should_not_be_readable_either(
    tmp_path: Path, cluster: Cluster, tidy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config = place(tmp_path, cluster, tidy)
    told = ("note", "agent_ro may read public.cards.cvv, which agents only ever see as NULL")
    assert told in ask(config, capsys).about("grants")
    cluster.run("REVOKE SELECT ON cards FROM agent_ro; GRANT SELECT (id, pan) ON cards TO agent_ro", tidy)
    assert told not in ask(config, capsys).about("grants")


def test_without_a_bundle_nobody_can_say_what_is_governed(
    tmp_path: Path, cluster: Cluster, tidy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config = place(tmp_path, cluster, tidy)
    (tmp_path / "bundle.tar.gz").unlink()
    said = ask(config, capsys)
    assert said.about("governed") == []
    assert [probe for probe, _ in said.amiss()] == ["bundle"]
