"""How a refusal reads in an ErrorResponse: what happened, why, what to do next, and the decision it hangs on."""

from gateway.core.codes import CODES
from gateway.core.errors import GatewayError
from gateway.core.verdict import Finding, Mask
from gateway.session.ruling import Ruling
from gateway.sql.plan import Plan
from gateway.wire.postgres.server_messages import error_response, notice_response


def refusal(ruling: Ruling) -> bytes:
    """The ErrorResponse for a refused statement. Severity ERROR: the session lives on."""
    finding = ruling.refusal
    if finding is None:
        raise TypeError("only a refused statement has a refusal")
    code = CODES.get(finding.code)
    advice = "; ".join(ruling.verdict.decision.advice)
    return error_response(
        severity="ERROR",
        sqlstate=code.sqlstate if code else "42501",
        message=finding.message,
        detail=_detail(finding, ruling.did),
        hint=finding.remedy or advice,
    )


def failure(error: GatewayError, *, fatal: bool = False, did: str = "") -> bytes:
    """The ErrorResponse for something that is not a ruling."""
    entry = error.entry
    return error_response(
        severity="FATAL" if fatal else "ERROR",
        sqlstate=entry.sqlstate,
        message=f"{entry.message}: {error.detail}" if error.detail else entry.message,
        detail=f"code {error.code}" + (f"; decision {did}" if did else ""),
        hint=entry.remedy,
    )


def masked_notice(plan: Plan, did: str) -> bytes:
    """The NoticeResponse that tells which columns of a statement were seen through a mask."""
    predicates = [_column(mask) for mask in plan.predicates_on_masked]
    hint = f"Conditions on {', '.join(predicates)} see masked values, not the stored ones." if predicates else ""
    return notice_response(
        severity="NOTICE",
        sqlstate="01000",
        message="masked: " + ", ".join(f"{_column(mask)} ({mask.method})" for mask in plan.masked),
        detail=f"decision {did}",
        hint=hint,
    )


def _column(mask: Mask) -> str:
    return f"{mask.schema}.{mask.relation}.{mask.column}"


def _detail(finding: Finding, did: str) -> str:
    """`code (controls), file:line; decision id`."""
    controls = f" ({', '.join(finding.controls)})" if finding.controls else ""
    place = f", {finding.file}:{finding.line}" if finding.file else ""
    return f"{finding.code}{controls}{place}; decision {did}"
