# METADATA
# title: The rules about rules find what is wrong, and nothing in a good policy
package meta_test

import data.meta

custom := {
	"code": "pci.x.masked",
	"effect": "mask",
	"message": "{column} is masked",
	"remedy": "do without",
	"severity": "high",
	"controls": ["PCI-DSS-4.0.1/3.4.1"],
}

rule(changed) := {
	"head": {"ref": [{"type": "var", "value": "effects"}]},
	"annotations": [{"scope": "rule", "title": "Masked", "custom": object.union(custom, changed)}],
	"body": [{"terms": {"type": "string", "value": object.union(custom, changed).code}}],
}

module(names, rules) := {
	"package": {"path": [{"value": "data"}, {"value": "gateway"}, {"value": "pci"}, {"value": names}]},
	"annotations": [{"scope": "package", "title": "A package"}],
	"rules": rules,
}

path := "gateway/pci/x/x.rego"

found(rules) := findings if {
	findings := meta.findings with input as {"modules": {path: module("x", rules)}}
}

said(findings, words) if {
	some finding in findings
	contains(finding, words)
}

test_a_good_policy_has_no_findings if count(found([rule({})])) == 0

test_a_rule_that_adds_no_effects_needs_no_metadata if {
	count(found([{"head": {"ref": [{"type": "var", "value": "cleared"}]}, "body": []}])) == 0
}

test_every_text_is_needed if {
	every key in ["effect", "message", "remedy", "severity"] {
		said(found([rule({key: ""})]), sprintf("custom.%s is missing", [key]))
		said(found([rule({key: 7})]), sprintf("custom.%s is missing", [key]))
	}
}

test_an_effect_without_metadata_is_found if {
	findings := found([{"head": {"ref": [{"type": "var", "value": "effects"}]}, "body": []}])
	said(findings, "title is missing")
	said(findings, "custom.code is missing")
	said(findings, "names no requirement")
}

test_a_requirement_has_a_form if {
	said(found([rule({"controls": []})]), "names no requirement")
	said(found([rule({"controls": ["3.4.1"]})]), "no requirement like")
	said(found([rule({"controls": ["PCI-DSS-4.0.1/"]})]), "no requirement like")
}

test_words_are_those_that_are_known if {
	said(found([rule({"severity": "urgent"})]), "is no severity")
	said(found([rule({"effect": "hide"})]), "is no effect")
}

test_a_code_is_the_one_the_rule_gives if {
	other := object.union(rule({}), {"body": [{"terms": {"type": "string", "value": "pci.x.other"}}]})
	said(found([other]), "never gives its code")
}

test_a_code_begins_with_its_family if said(found([rule({"code": "access.masked"})]), "does not begin with pci.")

test_a_code_is_given_once if said(found([rule({}), rule({})]), "is given 2 times")

test_a_package_has_a_title if {
	untitled := object.union(module("x", [rule({})]), {"annotations": []})
	findings := meta.findings with input as {"modules": {path: untitled}}
	said(findings, "has no title")
}

test_a_package_lives_where_it_is_called if {
	findings := meta.findings with input as {"modules": {path: module("y", [rule({})])}}
	said(findings, "belongs into another folder")
}

test_the_composition_alone_has_the_entrypoint_and_is_free_of_metadata if {
	entry := {"head": {"ref": [{"type": "var", "value": "d"}]}, "annotations": [{"entrypoint": true}], "body": []}
	said(found([entry]), "only gateway.main has an entrypoint")
	main := {
		"package": {"path": [{"value": "data"}, {"value": "gateway"}, {"value": "main"}]},
		"annotations": [{"scope": "package", "title": "Composition"}],
		"rules": [entry, {"head": {"ref": [{"type": "var", "value": "effects"}]}, "body": []}],
	}
	findings := meta.findings with input as {"modules": {"gateway/main/main.rego": main}}
	count(findings) == 0
}
