"""What an organisation says of its own data, read from the active bundle (`data.site`) and cut to one connection.

`sql/` needs the labels and the switches, `masking/` the exemptions; the grants themselves are read by Rego only.
"""

import msgspec


class Posture(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one connection is governed. Built by `policy/`, read by `sql/` and `session/`."""

    guarded: bool = True
    """False: only grants decide (never with labels or filters)"""
    labels: dict[str, dict[str, tuple[str, ...]]] = {}
    """`schema.relation` → column → labels, as the site wrote them; the closure over views is the catalog's work"""
    filtered: tuple[str, ...] = ()
    """`schema.relation` names that some row filter may govern"""
    functions: tuple[str, ...] = ()
    """`schema.name` of functions allowed beyond the built-in list"""
    triggers: tuple[str, ...] = ()
    """`schema.table.trigger` that may run on governed targets"""
    scan_exempt: dict[str, tuple[str, ...]] = {}
    """`schema.relation` → columns the card scan leaves alone"""
    write_masked: bool = False
