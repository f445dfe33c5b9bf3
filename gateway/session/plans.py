"""Plans kept: rewriting is a pure function of a statement, its obligations and the snapshot, and statements come again.

A plan is found by the very statement that was read (readings are kept by exact text), never by a likeness of texts.
"""

from collections import OrderedDict

from gateway.core.verdict import Obligations
from gateway.session.ground import Ground
from gateway.sql.model import Understood
from gateway.sql.plan import Plan
from gateway.sql.rewrite import rewrite

KEPT = 4096
_plans: OrderedDict[tuple[Understood, str], tuple[Obligations, Plan]] = OrderedDict()


def plan_for(understood: Understood, obligations: Obligations, ground: Ground) -> Plan:
    """What will be sent for a statement. Raises Refused, each time anew."""
    key = (understood, ground.catalog.sha256)
    kept = _plans.get(key)
    if kept is not None and (kept[0] is obligations or kept[0] == obligations):
        _plans.move_to_end(key)
        return kept[1]
    plan = rewrite(understood, obligations, ground.catalog, ground.posture)
    _plans[key] = (obligations, plan)
    if len(_plans) > KEPT:
        _plans.popitem(last=False)
    return plan
