"""Lines of CEF can be read back by the rules of the format, whatever is in them."""

import re

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.events import Event, EventType, Who
from tests.evidence.sinks.leaves import SID, decided, events, every_leaf, finished, leaf_of, opened

_PIPE = re.compile(r"(?<!\\)(?:\\\\)*\|")
_PAIR = re.compile(r"(?:^| )([A-Za-z0-9]+)=((?:\\.|[^\\=])*?)(?= [A-Za-z0-9]+=|$)")


def parsed(line: str) -> tuple[list[str], dict[str, str]]:
    """Header and extension, unescaped."""
    header, rest = [], line
    for _ in range(7):
        part, at = "", 0
        while rest[at] != "|":
            at += rest[at] == "\\"
            part, at = part + rest[at], at + 1
        header.append(part)
        rest = rest[at + 1 :]
    pairs = {}
    for key, value in _PAIR.findall(rest):
        pairs[key] = re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], value)
    return header, pairs


def test_every_line_has_a_header_of_eight_parts_and_pairs_that_make_up_the_rest() -> None:
    for event in events("cef", every_leaf()):
        header, pairs = parsed(event.payload.decode())
        assert header[:3] == ["CEF:0", "querywarden", "querywarden"]
        assert header[4] == event.leaf.type
        assert 0 <= int(header[6]) <= 10
        assert pairs["externalId"] == event.id


def test_a_decision_says_who_where_from_what_and_why() -> None:
    _, event, done = events("cef", [opened(), decided(), finished()])
    _, pairs = parsed(event.payload.decode())
    assert {key: pairs[key] for key in ("suser", "duser", "src", "act", "outcome", "reason")} == {
        "suser": "refund-agent", "duser": "maria@example.com", "src": "10.1.2.3", "act": "deny", "outcome": "failure",
        "reason": "access.no_grant",
    }  # fmt: skip
    _, pairs = parsed(done.payload.decode())
    assert (pairs["cn1Label"], pairs["cn1"], pairs["out"]) == ("rows", "12", "480")


def test_an_address_of_ipv6_stands_under_its_own_key() -> None:
    _, pairs = parsed(events("cef", [opened("fd00::7")])[0].payload.decode())
    assert (pairs["c6a2"], pairs["c6a2Label"]) == ("fd00::7", "Source IPv6 Address")
    assert "src" not in pairs


@given(st.text(min_size=1, max_size=60))
def test_no_text_adds_a_line_a_part_or_a_pair(text: str) -> None:
    who = Who(id=text)
    leaf = leaf_of(Event(type=EventType.SESSION_OPENED, sid=SID, who=who, res="payments", data={"application": text}))
    (event,) = events("cef", [leaf])
    line = event.payload.decode()
    assert len(line.splitlines()) == 1
    header, pairs = parsed(line)
    plain = events("cef", [opened()])[0].payload.decode()
    assert len(header) == len(parsed(plain)[0])
    assert set(pairs) <= {*parsed(plain)[1], "requestClientApplication"}
