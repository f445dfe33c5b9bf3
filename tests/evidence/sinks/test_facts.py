"""What formats start from: facts of the leaf, and where it says nothing, of its session."""

import pytest

from gateway.evidence.leaf import decode_leaf
from gateway.evidence.sinks.facts import Facts, filled
from gateway.evidence.sinks.sessions import Seen
from tests.evidence.sinks.leaves import decided, finished


def facts(leaf: bytes = b"", **more: object) -> Facts:
    read = decode_leaf(leaf or decided())
    usual = Facts("id", "origin", 3, read, Seen(ip="10.0.0.1", user="somebody", issuer="https://i"), read.facts())
    return usual._replace(**more)  # type: ignore[arg-type]  # the tests say what is right


def test_a_leaf_without_a_name_is_its_sessions() -> None:
    assert (facts().user, facts().issuer, facts().on_behalf_of) == (
        "refund-agent",
        "https://idp.test",
        "maria@example.com",
    )
    assert (facts(finished()).user, facts(finished()).issuer, facts(finished()).on_behalf_of) == (
        "somebody",
        "https://i",
        "",
    )


@pytest.mark.parametrize(
    ("given", "address"), [("10.1.1.1", "10.1.1.1"), ("FD00::1", "fd00::1"), ("unix", "10.0.0.1"), ("", "10.0.0.1")]
)
def test_an_address_is_one_or_it_is_nothing(given: str, address: str) -> None:
    found = facts(facts={"client_ip": given})
    assert found.ip == (address if given != "unix" else "")


def test_a_reason_is_found_in_the_refusal_the_decision_or_the_error() -> None:
    assert facts().code == "access.no_grant"
    assert facts(facts={}, bodies={"out": {"reasons": [{"code": "a.b"}]}}).code == "a.b"
    assert facts(facts={"error": "42601"}).code == "42601"
    assert facts(facts={}, bodies={"out": {"reasons": "x"}}).code == ""


def test_documents_of_another_shape_say_nothing() -> None:
    documents: list[object] = [
        None, [], {"statement": []}, {"statement": {"relations": "x"}}, {"statement": {"relations": [1]}},
    ]  # fmt: skip
    for document in documents:
        found = facts(bodies={"in": document})
        assert (found.statement, found.relations) == ("", [])


def test_what_is_empty_is_left_out_and_zero_is_not_empty() -> None:
    assert filled(a="", b=0, c=False, d=[], e={}, f="x") == {"b": 0, "c": False, "f": "x"}
