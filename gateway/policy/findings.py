"""The reasons of a decision, with what the bundle's METADATA says of each: what people and records are shown."""

from collections.abc import Mapping
from typing import Final

from gateway.core.codes import CODES
from gateway.core.errors import GatewayError
from gateway.core.verdict import Decision, Finding, Outcome, Reason
from gateway.policy.bundle import Rule

_DECIDES: Final = {
    Outcome.DENY: ("deny",),
    Outcome.REQUIRE_APPROVAL: ("require_approval",),
    Outcome.MASK: ("mask",),
    Outcome.ALLOW: ("allow", "clear"),
}
"""outcome → the effects that bring it about, which come first"""
_WEIGHT: Final = {"critical": 0, "high": 1, "medium": 2, "low": 3, "info": 4}


def render(decision: Decision, rules: Mapping[str, Rule]) -> tuple[Finding, ...]:
    """Every reason of a decision, the deciding ones in front, the grave before the light."""
    first = _DECIDES[decision.outcome]

    def rank(reason: Reason) -> tuple[bool, int, str]:
        rule = rules.get(reason.code)
        effect, severity = (rule.effect, rule.severity) if rule else ("deny", "critical")
        return effect not in first, _WEIGHT.get(severity, 0), reason.code

    return tuple(_finding(reason, rules.get(reason.code)) for reason in sorted(decision.reasons, key=rank))


def _finding(reason: Reason, rule: Rule | None) -> Finding:
    if rule is None:
        return Finding(code=reason.code, args=reason.args, message=reason.code)
    code, message, remedy = _of_hazard(reason) or (reason.code, _filled(rule.message, reason.args), rule.remedy)
    return Finding(
        code=code,
        args=reason.args,
        message=message,
        remedy=remedy,
        rule=rule.rule,
        file=rule.file,
        line=rule.line,
        controls=rule.controls,
    )


def _of_hazard(reason: Reason) -> tuple[str, str, str] | None:
    """Code, message and remedy of the hazard a reason carries: they say more than the rule that denies all hazards."""
    code, detail = reason.args.get("hazard", ""), reason.args.get("detail", "")
    if code not in CODES:
        return None
    entry = CODES[code]
    return code, f"{entry.message}: {detail}" if detail else entry.message, entry.remedy


def _filled(message: str, args: Mapping[str, str]) -> str:
    """The message with its `{names}` replaced; nothing in a value is a name again."""
    pieces = message.split("{")
    out = [pieces[0]]
    for piece in pieces[1:]:
        name, closed, rest = piece.partition("}")
        out.append(f"{args.get(name, '?')}{rest}" if closed else "{" + piece)
    return "".join(out)


def failure(error: GatewayError) -> Finding:
    """The finding of an evaluation that gave no decision."""
    entry = error.entry
    message = f"{entry.message}: {error.detail}" if error.detail else entry.message
    return Finding(code=error.code, message=message, remedy=entry.remedy)
