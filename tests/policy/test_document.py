"""One question is one document, byte for byte, and holds nothing the bundle does not read."""

import json
from collections.abc import Mapping

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from gateway.core.disguised import find_any
from gateway.core.principal import Delegator, Principal
from gateway.core.statement import Column, Function, Hazard, Parameter, Relation, Statement
from gateway.policy import document, schema
from gateway.policy.document import Circumstances, Request, Resource, Scribe, canonical, check, minute
from gateway.policy.probe import PROBE

EVERYTHING = tuple(schema.OPTIONAL)
words = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
bags = st.lists(words, max_size=4).map(tuple)
relations = st.builds(
    Relation, schema=words, name=words, kind=st.just("table"), access=st.just(("read",)), labels=bags, via=bags
)
columns = st.builds(Column, schema=words, relation=words, name=words, labels=bags, clauses=st.just(("where", "select")))
functions = st.builds(Function, schema=words, name=words, kind=st.just("function"))
statements = st.builds(
    Statement,
    action=st.just("select"),
    category=st.just("read"),
    text_redacted=words,
    sha256=st.just("a" * 64),
    fingerprint=words,
    relations=st.lists(relations, max_size=3).map(tuple),
    columns=st.lists(columns, max_size=3).map(tuple),
    functions=st.lists(functions, max_size=3).map(tuple),
    hazards=st.lists(st.builds(Hazard, code=words, detail=words), max_size=2).map(tuple),
    settings=bags,
)
claims = st.dictionaries(words, st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | words, max_size=3)
principals = st.builds(
    Principal,
    subject=words,
    issuer=words,
    groups=bags,
    claims=claims,
    on_behalf_of=st.none() | st.builds(Delegator, id=words, groups=bags),
    expires_at=st.just(0),
)
contexts = st.builds(
    Circumstances,
    time_ns=st.integers(0, 4 * 10**18),
    channel=st.just("postgres"),
    session_id=words,
    session_started_ns=st.integers(0, 4 * 10**18),
    application=st.just("") | words,
    client_ip=words,
    tls=st.booleans(),
    purpose=words,
    ticket=words,
    reason=words,
)
requests = st.builds(
    Request,
    principal=principals,
    resource=st.just(
        Resource(connection="c", engine="postgres", version="16", database="d", labels={"b": "1", "a": "2"})
    ),
    statement=statements,
    context=contexts,
)


def written(request: Request, *reads: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(Scribe(reads, "f" * 64, "r1").write(request))
    return found


def paths(value: object, prefix: str = "") -> set[str]:
    """Every path of objects in a document."""
    if not isinstance(value, dict):
        return set()
    here = {f"{prefix}{key}" for key in value}
    return here.union(*(paths(part, f"{prefix}{key}.") for key, part in value.items()))


@given(request=requests, reads=st.sets(st.sampled_from(EVERYTHING)))
def test_a_document_is_canonical_and_one_of_its_schema(request: Request, reads: set[str]) -> None:
    raw = Scribe(reads, "f" * 64, "r1").write(request)
    assert canonical(json.loads(raw)) == raw
    check(raw)


@given(request=requests, data=st.data())
def test_the_order_in_which_facts_come_changes_nothing(request: Request, data: st.DataObject) -> None:
    def shuffled(statement: Statement) -> Statement:
        changes: dict[str, object] = {
            name: tuple(data.draw(st.permutations(list(getattr(statement, name)))))
            for name in ("relations", "columns", "functions", "hazards", "settings")
        }
        return structs.replace(statement, **changes)

    groups = data.draw(st.permutations(list(request.principal.groups * 2)))
    other = structs.replace(
        request,
        statement=shuffled(request.statement),
        principal=structs.replace(request.principal, groups=tuple(groups)),
    )
    scribe = Scribe(EVERYTHING)
    assert scribe.write(other) == scribe.write(request)


def test_the_arrays_within_a_fact_are_sorted_too() -> None:
    mixed = Column(schema="s", relation="t", name="c", labels=("pan", "cvv"), clauses=("where", "select"))
    relation = Relation(schema="s", name="t", kind="table", access=("write", "read"), labels=("pan", "cvv", "pan"))
    statement = structs.replace(PROBE.statement, columns=(mixed,), relations=(relation,))
    facts = written(structs.replace(PROBE, statement=statement))["statement"]
    assert isinstance(facts, dict)
    assert (facts["columns"][0]["labels"], facts["columns"][0]["clauses"]) == (["cvv", "pan"], ["select", "where"])
    assert (facts["relations"][0]["access"], facts["relations"][0]["labels"]) == (["read", "write"], ["cvv", "pan"])


@given(request=requests, reads=st.sets(st.sampled_from(EVERYTHING)))
def test_nothing_optional_is_in_it_that_the_bundle_does_not_read(request: Request, reads: set[str]) -> None:
    for path in set(EVERYTHING) - reads:
        assert path not in paths(written(request, *reads))


@pytest.mark.parametrize("read", ["context", "context.session", "context.session.id.deeper"])
def test_reading_a_path_brings_what_is_below_it_and_what_is_above_it(read: str) -> None:
    request = structs.replace(PROBE, context=structs.replace(PROBE.context, session_id="s1", purpose="p"))
    found = paths(written(request, read))
    assert "context.session.id" in found
    assert ("context.purpose" in found) == (read == "context")


def test_what_is_not_given_is_left_out_and_never_null() -> None:
    found = written(PROBE, *EVERYTHING)
    assert "null" not in json.dumps(found)
    assert not {"context.purpose", "context.ticket", "context.reason", "subject.on_behalf_of"} & paths(found)


def test_questions_that_differ_in_what_nobody_reads_are_one_document() -> None:
    later = structs.replace(PROBE, context=structs.replace(PROBE.context, time_ns=10**18, session_id="other"))
    scribe = Scribe(("action.name", "statement.columns"))
    assert scribe.write(later) == scribe.write(PROBE)


def test_the_bundle_stands_in_it_when_a_rule_reads_it() -> None:
    assert written(PROBE, "policy.revision")["policy"] == {"bundle_sha256": "f" * 64, "revision": "r1"}
    assert "policy" not in written(PROBE, "action.name")


def test_the_order_of_parameters_is_kept_because_it_is_their_meaning() -> None:
    parameters = (Parameter(type="text", class_="text"), Parameter(type="int4", class_="number"))
    statement = structs.replace(PROBE.statement, parameters=parameters)
    facts = written(structs.replace(PROBE, statement=statement), "statement.parameters")["statement"]
    assert isinstance(facts, dict)
    assert facts["parameters"] == [{"class": "text", "type": "text"}, {"class": "number", "type": "int4"}]


def test_time_is_cut_to_the_minute() -> None:
    assert minute(1_798_761_599_999_999_999) == "2026-12-31T23:59:00Z"
    assert minute(0) == "1970-01-01T00:00:00Z"


def test_a_statement_is_encoded_once_and_forgotten_when_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(document, "_REMEMBERED", 2)
    scribe = Scribe(())
    texts = [f"SELECT {number}" for number in range(5)]
    asked = [structs.replace(PROBE, statement=structs.replace(PROBE.statement, text_redacted=text)) for text in texts]
    for _ in range(2):
        for text, request in zip(texts, asked, strict=True):
            assert json.loads(scribe.write(request))["statement"]["text_redacted"] == text


@pytest.mark.parametrize(
    "changes",
    [
        {"statement": structs.replace(PROBE.statement, category="other")},
        {"context": Circumstances(time_ns=0, channel="telnet")},
        {"context": Circumstances(time_ns=0, channel="postgres", transaction="odd")},
        {"principal": Principal(subject="", issuer="i", expires_at=0)},
        {"resource": Resource(connection="c", engine="oracle", version="", database="")},
    ],
)
def test_a_value_that_no_schema_allows_is_found_before_it_is_evaluated(changes: Mapping[str, object]) -> None:
    raw = Scribe(EVERYTHING, "f" * 64).write(structs.replace(PROBE, **changes))
    with pytest.raises(msgspec.ValidationError):
        check(raw)


def test_a_key_that_nobody_knows_is_found_wherever_it_stands() -> None:
    loaded = written(PROBE)
    context = loaded["context"]
    assert isinstance(context, dict)
    for place in (loaded, context):
        place["more"] = 1
        with pytest.raises(msgspec.ValidationError):
            check(json.dumps(loaded).encode())
        del place["more"]
    check(json.dumps(loaded).encode())


CARD = "4111111111111111"


def test_no_card_number_is_in_a_document_wherever_it_was_put() -> None:
    subject = Principal(
        subject=CARD, issuer=f"https://{CARD}", groups=("a", CARD), claims={"n": int(CARD), "t": [f"x {CARD}"]},
        on_behalf_of=Delegator(id="NDExMTExMTExMTExMTExMQ==", groups=(CARD,)), expires_at=0,
    )  # fmt: skip
    statement = structs.replace(
        PROBE.statement,
        text_redacted=f'SELECT ? AS "{CARD}"',
        relations=(Relation(schema="public", name=CARD, kind="unknown", access=("read",)),),
        hazards=(Hazard(code="setting.not_literal", detail=CARD),),
    )
    context = structs.replace(
        PROBE.context,
        application=f"a {CARD}",
        purpose="4111 1111 1111 1111",
        ticket=CARD,
        reason="４１１１１１１１１１１１１１１１",
    )
    resource = structs.replace(PROBE.resource, database=CARD, connection=f"c{CARD}", version=CARD)
    asked = Request(principal=subject, resource=resource, statement=statement, context=context)
    written = Scribe(EVERYTHING, "b" * 64, "r1").write(asked)
    assert find_any(written) == []
    assert b"4111" not in written
    assert check(written).subject.id == "*" * 16


def test_a_document_without_any_is_written_as_it_is() -> None:
    assert find_any(Scribe(EVERYTHING).write(PROBE)) == []
    assert b"**" not in Scribe(EVERYTHING).write(PROBE)
