"""A leaf: canonical, at most 4 KiB, salted, and without a card number whoever put one in."""

import base64
import hashlib

import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.events import Event, EventType, Who
from gateway.evidence.leaf import MAX_LEAF, Draft, LeafError, decode_leaf, encode_leaf, make_leaf
from tests.evidence.world import CARD

DRAFT = Draft(seq=1, time_ns=1_795_447_200_123_456_789, salt=bytes(16), bodies={"in": "a" * 64})
texts = st.text(st.characters(codec="utf-8"), max_size=20)


def event(**more: object) -> Event:
    return msgspec.structs.replace(Event(type=EventType.STATEMENT_DECIDED, sid="s", did="d"), **more)


@given(
    res=texts, act=texts, who=st.none() | st.builds(Who, id=texts, issuer=texts, on_behalf_of=texts), ok=st.booleans(),
    data=st.dictionaries(texts, st.integers(-9, 9) | texts | st.lists(texts, max_size=3), max_size=4),
)  # fmt: skip
def test_every_leaf_is_canonical_and_comes_back(
    res: str, act: str, who: Who | None, ok: bool, data: dict[str, object]  # noqa: FBT001 -- drawn
) -> None:  # fmt: skip
    encoded = make_leaf(event(res=res, act=act, who=who, ok=ok, data=data), DRAFT).leaf
    assert rfc8785.dumps(msgspec.json.decode(encoded)) == encoded
    assert encode_leaf(decode_leaf(encoded)) == encoded


def test_a_leaf_holds_what_the_recorder_adds() -> None:
    leaf = decode_leaf(make_leaf(event(), DRAFT).leaf)
    assert (leaf.v, leaf.seq, leaf.t, leaf.salt) == (1, 1, "1795447200123456789", "b64:AAAAAAAAAAAAAAAAAAAAAA==")
    assert leaf.bodies() == {"in": "a" * 64}
    assert base64.b64decode(leaf.salt.removeprefix("b64:")) == bytes(16)


def test_the_salt_makes_equal_events_unequal() -> None:
    other = DRAFT._replace(salt=b"1" * 16)
    assert make_leaf(event(), DRAFT).leaf != make_leaf(event(), other).leaf


@given(st.integers(0, 8000))
def test_facts_that_do_not_fit_become_a_body_that_the_leaf_names(length: int) -> None:
    made = make_leaf(event(data={"text": "x" * length}), DRAFT)
    assert len(made.leaf) <= MAX_LEAF
    leaf = decode_leaf(made.leaf)
    if made.overflow is None:
        assert leaf.facts() == {"text": "x" * length}
    else:
        assert leaf.facts() == {}
        assert leaf.bodies()["data"] == hashlib.sha256(made.overflow).hexdigest()
        assert msgspec.json.decode(made.overflow) == {"text": "x" * length}


def test_small_facts_stay_in_the_leaf() -> None:
    made = make_leaf(event(data={"text": "x" * 3000}), DRAFT)
    assert made.overflow is None


@pytest.mark.parametrize("field", ["res", "act", "outcome"])
def test_a_leaf_that_cannot_be_made_small_is_refused(field: str) -> None:
    with pytest.raises(LeafError, match="does not fit"):
        make_leaf(event(**{field: "x" * 5000}), DRAFT)


@pytest.mark.parametrize("data", [{"a": float("nan")}, {"a": object()}, {"a": 1 << 60}])
def test_what_is_not_plain_data_is_refused_without_being_quoted(data: dict[str, object]) -> None:
    with pytest.raises(LeafError) as caught:
        make_leaf(event(data=data), DRAFT)
    assert str(caught.value) == "the event is not plain data"


@pytest.mark.parametrize("field", ["res", "act", "outcome"])
def test_a_card_number_in_a_name_is_blanked_and_said(field: str) -> None:
    made = make_leaf(event(**{field: f"my {CARD}"}), DRAFT)
    assert CARD.encode() not in made.leaf
    assert decode_leaf(made.leaf).scrubbed == (field,)


def test_a_card_number_in_an_identity_or_in_facts_is_blanked_and_said() -> None:
    who = Who(id=CARD, issuer=f"https://{CARD}", on_behalf_of=CARD)
    made = make_leaf(event(who=who, data={CARD: [CARD]}), DRAFT._replace(scrubbed=("in",)))
    assert CARD.encode() not in made.leaf
    assert decode_leaf(made.leaf).scrubbed == ("data", "in", "who")


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b'{"v":1}', b'{"unknown":1}'])
def test_what_is_no_leaf_is_refused(data: bytes) -> None:
    with pytest.raises(LeafError):
        decode_leaf(data)
