"""What policy answered: the decision document (`policies/schema/decision.json`) and what the gateway adds to it."""

from enum import StrEnum

import msgspec

from gateway.core.principal import Json


class Outcome(StrEnum):
    """The four answers, most open first."""

    ALLOW = "allow"
    MASK = "mask"
    REQUIRE_APPROVAL = "require_approval"
    DENY = "deny"


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a decision: unknown fields are refused, because an obligation we do not know is one we would drop."""


class Reason(_Part, frozen=True, kw_only=True):
    """A rule that contributed. `args` fill the message of the rule's METADATA."""

    code: str
    args: dict[str, str] = {}


class Mask(_Part, frozen=True, kw_only=True):
    """Show `schema.relation.column` only through `method` (null, fixed, last4, first6_last4)."""

    schema: str
    relation: str
    column: str
    method: str


class RowFilter(_Part, frozen=True, kw_only=True):
    """Only rows for which the boolean SQL expression holds."""

    schema: str
    relation: str
    sql: str


class Limits(_Part, frozen=True, kw_only=True, omit_defaults=True):
    """Upper bounds for one statement; None means none."""

    rows: int | None = None
    bytes: int | None = None
    seconds: int | None = None
    rows_by_label: dict[str, int] = {}


class ApprovalDemand(_Part, frozen=True, kw_only=True, omit_defaults=True):
    """Who must say yes before the statement runs. Durations in seconds."""

    any_of: tuple[str, ...] = ()
    all_of: tuple[str, ...] = ()
    min: int = 1
    requester_may_approve: bool = False
    reason_required: bool = False
    hold: int | None = None
    ttl: int | None = None


class Obligations(_Part, frozen=True, kw_only=True, omit_defaults=True):
    """What must be done for the outcome to hold. The gateway does all of it or denies."""

    masks: tuple[Mask, ...] = ()
    row_filters: tuple[RowFilter, ...] = ()
    limits: Limits = Limits()
    approval: ApprovalDemand | None = None


class Decision(_Part, frozen=True, kw_only=True):
    """The answer of `data.gateway.main.decision`, as the engine gave it."""

    outcome: Outcome
    reasons: tuple[Reason, ...] = ()
    obligations: Obligations = Obligations()
    advice: tuple[str, ...] = ()


class Finding(_Part, frozen=True, kw_only=True):
    """A reason with what the bundle's METADATA says of it, rendered for people."""

    code: str
    args: dict[str, str] = {}
    message: str
    remedy: str = ""
    rule: str = ""
    """dotted path of the rule, e.g. `data.gateway.pci.cardholder.effects`; empty for the gateway's own codes"""
    file: str = ""
    line: int = 0
    controls: tuple[str, ...] = ()


class Shadow(_Part, frozen=True, kw_only=True):
    """What a candidate would have answered to the same question. Recorded, never enforced."""

    bundle_sha256: str
    outcome: str
    """of the candidate"""
    change: str = ""
    """what differs: `outcome`, `obligations`, `reasons`, or `failed`; empty when nothing does"""
    codes: tuple[str, ...] = ()
    """of the candidate's reasons that the active bundle did not give"""


class Verdict(_Part, frozen=True, kw_only=True):
    """A decision with everything needed to act on it, record it, and compute it again.

    When the engine failed, `decision.outcome` is DENY and the first finding's code says how (`policy.*`).
    """

    decision: Decision
    findings: tuple[Finding, ...]
    input: bytes = b""
    """the canonical input document (RFC 8785), exactly as evaluated"""
    output: bytes = b""
    """the canonical decision document, exactly as answered"""
    input_sha256: str = ""
    output_sha256: str = ""
    bundle_sha256: str = ""
    policy_digest: str = ""
    revision: str = ""
    engine: str = ""
    """e.g. `embedded/wasmtime-50.0.1`"""
    duration_us: int = 0
    cached: bool = False
    shadow: Shadow | None = None

    def document(self) -> dict[str, Json]:
        """Builtins of the decision, for JSON output."""
        result: dict[str, Json] = msgspec.to_builtins(self.decision)
        return result
