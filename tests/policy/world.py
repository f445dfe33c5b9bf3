"""A bundle made by hand, and the questions it is asked."""

import hashlib
import json
from collections.abc import Mapping

import msgspec

from gateway.core.principal import Principal
from gateway.core.statement import Column, Relation, Statement
from gateway.policy.bundle import Bundle, Rule
from gateway.policy.document import Circumstances, Request, Resource
from gateway.policy.manifest import Severity
from gateway.policy.site import Site
from tests.policy.modules import module

MINUTE = 60 * 1_000_000_000
ALLOW: Mapping[str, object] = {"outcome": "allow", "reasons": [], "obligations": {}, "advice": []}


class FixedClock:
    """A clock that a test moves."""

    def __init__(self, now_ns: int = 1_800_000_000_000_000_000) -> None:
        self.now = now_ns

    def now_ns(self) -> int:
        return self.now

    def monotonic_ns(self) -> int:
        return self.now


class CountingEngine:
    """Answers what it was told to, and counts."""

    name = "fake/1"

    def __init__(self, answer: Mapping[str, object] | bytes | Exception, *, remembers: bool = True) -> None:
        self.answer = answer
        self.remembers = remembers
        self.asked: list[bytes] = []
        self.closed = 0

    async def evaluate(self, document: bytes) -> bytes:
        self.asked.append(document)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer if isinstance(self.answer, bytes) else json.dumps(self.answer).encode()

    async def check(self) -> None:
        if isinstance(self.answer, Exception):
            raise self.answer

    def close(self) -> None:
        self.closed += 1


def rule(code: str, effect: str, severity: Severity = "medium", message: str = "{column} was seen") -> Rule:
    return Rule(
        code=code,
        title=code,
        effect=effect,
        message=message,
        remedy=f"do without {code}",
        severity=severity,
        controls=("PCI-DSS-4.0.1/3.4.1",),
        rule=f"data.gateway.{code}.effects",
        file="gateway/x.rego",
        line=7,
    )


def bundle(answer: Mapping[str, object] = ALLOW, **more: object) -> Bundle:
    """A bundle whose module gives one answer to everything."""
    rules = (rule("test.allowed", "allow"), rule("test.cleared", "clear"), rule("test.masked", "mask"))
    made = Bundle(
        sha256="a" * 64,
        policy_digest="b" * 64,
        revision="r1",
        entrypoint="gateway/main/decision",
        reads=("input",),
        wasm=module(answer=json.dumps([{"result": answer}]).encode()),
        data=b"{}",
        site=Site(classification={"payments": {"public.cards": {"pan": ("pan",)}}}),
        rules={each.code: each for each in (*rules, rule("test.denied", "deny", "high"))},
        keyid="k1",
        sequence=1,
        not_before=0,
        expires_at=None,
        vectors={},
        fingerprint="f" * 64,
        demo=False,
    )
    return msgspec.structs.replace(made, **more)


def request(*columns: Column, text: str = "SELECT ?", subject: str = "agent-7") -> Request:
    """A read of public.cards with these columns."""
    return Request(
        principal=Principal(subject=subject, issuer="https://idp.test", groups=("agents",), expires_at=0),
        resource=Resource(connection="payments", engine="postgres", version="15", database="payments"),
        statement=Statement(
            action="select",
            category="read",
            text_redacted=text,
            sha256=hashlib.sha256(text.encode()).hexdigest(),
            fingerprint="f",
            relations=(Relation(schema="public", name="cards", kind="table", access=("read",)),),
            columns=columns,
        ),
        context=Circumstances(time_ns=1_800_000_000_000_000_000, channel="postgres"),
    )


def column(name: str, *labels: str) -> Column:
    """A selected column of public.cards."""
    return Column(schema="public", relation="cards", name=name, labels=labels, clauses=("select",))
