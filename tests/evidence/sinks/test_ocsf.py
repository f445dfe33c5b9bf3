"""Every event is one of OCSF 1.8.0 by the schema its makers publish."""

import json
import re
from functools import cache
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from ocsf_json_schema import (  # type: ignore[import-untyped]  # it has no types
    OcsfJsonSchemaEmbedded,
    get_ocsf_schema,
)

from gateway.core.events import EventType
from gateway.evidence.sinks.ocsf import OCSF_VERSION
from tests.evidence.sinks import leaves
from tests.evidence.sinks.leaves import decided, documents, every_leaf, finished, opened

KINDS = {event.value for event in EventType}


@cache
def published() -> OcsfJsonSchemaEmbedded:
    return OcsfJsonSchemaEmbedded(get_ocsf_schema(version=OCSF_VERSION))


@cache
def validator(class_uid: int) -> Draft202012Validator:
    schema = published()
    name = schema.lookup_class_name_from_uid(class_uid=class_uid)
    document = schema.get_class_schema(class_name=name, profiles=["security_control"])
    Draft202012Validator.check_schema(document)
    return Draft202012Validator(document)


def faults(event: dict[str, object]) -> list[str]:
    uid = event["class_uid"]
    assert isinstance(uid, int)
    return [f"{list(error.absolute_path)}: {error.message[:200]}" for error in validator(uid).iter_errors(event)]


@pytest.mark.parametrize("bodies", [False, True])
def test_every_type_of_leaf_becomes_an_event_that_the_published_schema_takes(bodies: bool) -> None:  # noqa: FBT001
    found = {str(number): faults(event) for number, event in enumerate(documents("ocsf", every_leaf(), bodies=bodies))}
    assert {number: fault for number, fault in found.items() if fault} == {}


def test_the_example_of_the_page_is_one_of_ours() -> None:
    page = (Path(__file__).parents[3] / "docs/reference/ocsf.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    example = json.loads(text)
    assert faults(example) == []
    assert set(example) <= set(documents("ocsf", [opened(), decided()])[1])


@pytest.mark.parametrize("spoilt", ["time", "metadata", "src_endpoint", "activity_id", "type_uid"])
def test_the_published_schema_would_notice_what_is_missing(spoilt: str) -> None:
    (event,) = documents("ocsf", [decided()])
    assert faults(event) == []
    assert faults({name: value for name, value in event.items() if name != spoilt})
    assert faults({**event, "not_of_ocsf": 1})


@pytest.mark.parametrize(
    ("leaf", "class_uid", "activity"),
    [(decided(), 6005, 4), (decided("allow", "insert"), 6005, 5), (decided("allow", "delete"), 6005, 7),
     (decided("allow", "vacuum"), 6005, 99), (finished(), 6005, 4), (opened(), 3002, 1),
     (leaves.plain(EventType.SESSION_CLOSED), 3002, 2), (leaves.plain(EventType.AUTH_FAILED), 3002, 1),
     (leaves.plain(EventType.BUNDLE_ACTIVATED), 3004, 10), (leaves.plain(EventType.LOG_OPENED), 6002, 3),
     (leaves.plain(EventType.LOG_DEGRADED), 6008, 1), (leaves.plain(EventType.SINK_FAILED), 6008, 1)],
)  # fmt: skip
def test_a_leaf_is_of_the_class_and_activity_it_should_be(leaf: bytes, class_uid: int, activity: int) -> None:
    (event,) = documents("ocsf", [leaf])
    assert (event["class_uid"], event["activity_id"]) == (class_uid, activity)
    assert event["type_uid"] == class_uid * 100 + activity


def test_a_decision_names_its_policy_who_where_from_and_why() -> None:
    event = documents("ocsf", [opened(), decided()])[1]
    assert event["policy"] == {"uid": leaves.BUNDLE, "name": "policy bundle", "is_applied": True}
    assert event["src_endpoint"] == {"ip": "10.1.2.3"}
    assert (event["action_id"], event["disposition_id"], event["status_id"]) == (2, 2, 2)
    assert event["status_code"] == "access.no_grant"
    actor, metadata = event["actor"], event["metadata"]
    assert isinstance(actor, dict)
    assert isinstance(metadata, dict)
    assert actor["user"]["name"] == "refund-agent"
    assert actor["session"] == {"uid": leaves.SID, "issuer": "https://idp.test"}
    assert metadata["uid"] == f"{leaves.ORIGIN}#41"
    assert metadata["correlation_uid"] == leaves.DID


def test_the_statement_stands_in_it_only_when_bodies_are_sent() -> None:
    (without,) = documents("ocsf", [decided()])
    (with_bodies,) = documents("ocsf", [decided()], bodies=True)
    assert "query_info" not in without
    query = with_bodies["query_info"]
    assert isinstance(query, dict)
    assert query["query_string"] == "SELECT name FROM customers WHERE id = ?"
    assert with_bodies["table"] == {"name": "public.cards"}
