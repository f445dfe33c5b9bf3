"""Two indexes of the same leaves, held against each other: what one of them leaves out or counts wrong shows here."""

from collections.abc import Iterator
from typing import Final

from gateway.evidence.index import Index

_WHOLE: Final = {
    "decisions": """\
SELECT l.origin, d.id & 1099511627775, d.t, d.did, n.sid, e.value, d.end_leaf, a.value, p.value, c.value, x.value,
  o.value, b.value, q.sha256, r.name
FROM decision d
JOIN log l ON l.id = d.id >> 40 JOIN session n ON n.id = d.session JOIN shape s ON s.id = d.shape
LEFT JOIN term e ON e.id = d.ended JOIN term a ON a.id = s.agent JOIN term p ON p.id = s.person
JOIN term c ON c.id = s.connection JOIN term x ON x.id = s.action JOIN term o ON o.id = s.outcome
JOIN term b ON b.id = s.bundle JOIN asked q ON q.id = s.asked JOIN reasons r ON r.id = s.reasons
ORDER BY 1, 2""",
    "documents": """\
SELECT q.sha256, w.sha256, w.folded, t.kind, t.value
FROM asked q JOIN said w ON w.id = q.said LEFT JOIN asked_term x ON x.asked = q.id LEFT JOIN term t ON t.id = x.term
ORDER BY 1, 4, 5""",
    "reasons": """\
SELECT r.name, t.kind, t.value
FROM reasons r LEFT JOIN reasons_term x ON x.reasons = r.id LEFT JOIN term t ON t.id = x.term
ORDER BY 1, 2, 3""",
    "activations": """\
SELECT l.origin, f.id & 1099511627775, t.value
FROM force f JOIN log l ON l.id = f.id >> 40 JOIN term t ON t.id = f.bundle
ORDER BY 1, 2""",
}
"""the documents' full-text index is not compared: who asks for this takes the new one"""


def compare(index: Index, other: Index) -> Iterator[str]:
    """What two indexes of the same leaves say otherwise, by name: nothing, when neither was touched. Raises Damaged."""
    for name, sql in _WHOLE.items():
        mine, theirs = (each.database.execute(sql) for each in (index, other))
        while True:
            ours, others = mine.fetchmany(1000), theirs.fetchmany(1000)
            if ours != others:
                yield name
                break
            if not ours:
                break
