# METADATA
# title: Documents and site data that the tests start from
package testing

site := {
	"classification": {"payments": {"public.cards": {"pan": ["pan"], "cvv": ["cvv"]}}},
	"grants": [
		{
			"groups": ["agents"],
			"connections": ["payments"],
			"relations": ["public.*"],
			"actions": ["select", "copy_out", "explain"],
		},
		{
			"groups": ["writers"],
			"connections": ["payments"],
			"relations": ["public.*"],
			"actions": ["select", "insert", "update", "delete"],
		},
		{"groups": ["owners"], "connections": ["payments"], "relations": ["*"], "actions": ["*"]},
	],
	"masks": {"pan": "last4", "email": "fixed"},
	"clear": [
		{"groups": ["pan-readers"], "connections": ["payments"], "labels": ["pan"], "reason_required": true},
		{"groups": ["mail-readers"], "connections": ["payments"], "labels": ["email"], "reason_required": false},
		{"groups": ["hopeful"], "connections": ["payments"], "labels": ["cvv", "pin", "track"], "reason_required": false},
	],
	"approvals": [],
	"deny": [],
	"filters": [],
	"limits": [],
	"functions": {"allow": ["app.mask_name"]},
	"scan_exempt": [],
	"triggers": {"allow": []},
	"write_masked": false,
	"posture": {"scratch": "open"},
}

cards := {"schema": "public", "name": "cards", "kind": "table", "access": ["read"], "labels": ["cvv", "pan"]}

orders := {"schema": "public", "name": "orders", "kind": "table", "access": ["read"], "labels": []}

pg_class := {"schema": "pg_catalog", "name": "pg_class", "kind": "system", "access": ["read"], "labels": []}

pan := {"schema": "public", "relation": "cards", "name": "pan", "labels": ["pan"], "clauses": ["select"]}

cvv := {"schema": "public", "relation": "cards", "name": "cvv", "labels": ["cvv"], "clauses": ["select"]}

email := {"schema": "public", "relation": "people", "name": "email", "labels": ["email"], "clauses": ["select"]}

holder := {"schema": "public", "relation": "cards", "name": "holder", "labels": [], "clauses": ["select"]}

document := {
	"spec": "querywarden/input/v1",
	"subject": {"id": "refund-agent", "issuer": "https://idp.example", "type": "agent", "groups": ["agents"]},
	"action": {"name": "select", "category": "read"},
	"resource": {"connection": "payments", "engine": "postgres", "version": "18.4", "database": "payments", "labels": {}},
	"statement": {
		"dialect": "postgres",
		"count": 1,
		"text_redacted": "SELECT order_no FROM orders",
		"relations": [orders],
		"columns": [],
		"functions": [],
		"settings": [],
		"hazards": [],
		"shape": {
			"has_where": false,
			"limit": false,
			"joins": 0,
			"cartesian": false,
			"set_operation": false,
			"locking": false,
		},
	},
	"context": {"channel": "postgres", "transaction": "none"},
}

# A document with some parts replaced: objects are merged, everything else is exchanged.
but(changes) := object.union(document, changes)

by(groups, statement) := but({"subject": {"groups": groups}, "statement": statement})

does(groups, action, category, statement) := but({
	"subject": {"groups": groups},
	"action": {"name": action, "category": category},
	"statement": statement,
})

writes(relation, access, actions) := object.union(relation, {"access": access, "writes": actions})

reading_pan := by(["agents"], {"relations": [cards], "columns": [holder, pan]})

decide(asked) := decide_with(asked, {})

decide_with(asked, changes) := decision if {
	decision := data.gateway.main.decision with input as asked
		with data.site as object.union(site, changes)
}

outcome(asked) := decide(asked).outcome

outcome_with(asked, changes) := decide_with(asked, changes).outcome

codes(decision) := {reason.code | some reason in decision.reasons}

denied(decision, code) if {
	decision.outcome == "deny"
	code in codes(decision)
	decision.obligations == {"masks": [], "row_filters": [], "limits": {}}
}

# Everything a value could be instead: no JSON type is missing.
others := [null, false, 7, "", "x", [], ["x"], {}]

# Ways to spoil one place of a value: exchange what stands there, or take it away.
spoilt(value, path) := {json.patch(value, [{"op": "replace", "path": path, "value": other}]) |
	some other in others
	type_name(other) != type_name(object.get(value, path, null))
} | {json.patch(value, [{"op": "remove", "path": path}])}
