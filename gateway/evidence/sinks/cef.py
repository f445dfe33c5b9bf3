r"""Lines of the Common Event Format, version 0: a header of eight parts, then an extension of `key=value` pairs.

In the header `|` and `\` are escaped, in the extension `=`, `\` and line ends; no other character needs it.
"""

import re
from typing import Final

from gateway.evidence.sinks.facts import PRODUCT, VERSION, Facts
from gateway.evidence.sinks.outgoing import grave

_SEVERITY: Final = {1: 2, 2: 5, 3: 7, 4: 9}
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_LONGEST: Final = 4000
"""characters of a value; CEF gives most of its string keys 1,023 or 4,000"""


def line(facts: Facts) -> str:
    """The event of one leaf; no line end."""
    leaf = facts.leaf
    header = ("CEF:0", PRODUCT, PRODUCT, VERSION, leaf.type, facts.sentence(), str(_SEVERITY[grave(leaf)]))
    parts = [header[0], *(_header(part) for part in header[1:])]
    pairs = {**_common(facts), **_custom(facts)}
    return "|".join(parts) + "|" + " ".join(f"{key}={_value(text)}" for key, text in pairs.items() if text)


def _common(facts: Facts) -> dict[str, str]:
    leaf = facts.leaf
    address = {} if not facts.ip else {"src": facts.ip}
    if ":" in facts.ip:
        address = {"c6a2": facts.ip, "c6a2Label": "Source IPv6 Address"}
    number = {name: facts.number(name) for name in ("rows", "bytes")}
    return {
        "rt": str(int(leaf.t) // 1_000_000),
        "externalId": facts.id,
        "cat": leaf.type,
        "act": leaf.outcome or leaf.act,
        "outcome": "success" if leaf.ok else "failure",
        "reason": facts.code or facts.text("reason"),
        "suser": facts.user,
        "sntdom": facts.issuer,
        "duser": facts.on_behalf_of,
        "destinationServiceName": leaf.res,
        "requestMethod": leaf.act,
        "requestClientApplication": facts.application,
        "request": facts.statement,
        "deviceExternalId": facts.origin,
        **address,
        **({} if number["rows"] is None else {"cn1": str(number["rows"]), "cn1Label": "rows"}),
        **({} if number["bytes"] is None else {"out": str(number["bytes"])}),
    }


def _custom(facts: Facts) -> dict[str, str]:
    leaf = facts.leaf
    texts = {
        "bundle": leaf.bundle, "session": leaf.sid, "decision": leaf.did, "plan": leaf.plan,
        "policy_digest": leaf.policy_digest, "input": leaf.in_,
    }  # fmt: skip
    pairs: dict[str, str] = {}
    for number, (name, text) in enumerate(texts.items(), 1):
        if text:
            pairs[f"cs{number}"], pairs[f"cs{number}Label"] = text, name
    return pairs


def _header(text: str) -> str:
    return _CONTROL.sub(" ", text.replace("\\", "\\\\").replace("|", "\\|"))


def _value(text: str) -> str:
    cut = text[:_LONGEST].replace("\\", "\\\\").replace("=", "\\=")
    return _CONTROL.sub(" ", cut.replace("\r\n", "\\n").replace("\n", "\\n").replace("\r", "\\n"))
