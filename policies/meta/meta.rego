# METADATA
# title: Rules about rules
# description: |
#   Reads the syntax trees of a policy, `input.modules`: path → what `opa parse --format json` prints. A finding is a
#   sentence; a policy with one is not built into a release.
package meta

severities := {"info", "low", "medium", "high", "critical"}

known_effects := {"advice", "allow", "clear", "deny", "filter", "limit", "mask", "require_approval"}

texts := {"code", "effect", "message", "remedy", "severity"}

composition := "gateway.main"

package_of(module) := concat(".", [step.value | some index, step in module["package"].path; index > 0])

# Rules that add effects, each with its place and the METADATA that stands above it.
effect_rules contains rule if {
	some path, module in input.modules
	package_of(module) != composition
	some number, found in module.rules
	found.head.ref[0].value == "effects"
	rule := {
		"place": sprintf("%s, effects %d", [path, number]),
		"package": package_of(module),
		"custom": object.get(annotation(found), "custom", {}),
		"title": object.get(annotation(found), "title", ""),
		"strings": {value | walk(found.body, [_, value]); is_string(value)},
	}
}

annotation(rule) := rule.annotations[0]

annotation(rule) := {} if not rule.annotations

findings contains sprintf("%s: title is missing", [rule.place]) if {
	some rule in effect_rules
	rule.title == ""
}

findings contains sprintf("%s: custom.%s is missing", [rule.place, key]) if {
	some rule in effect_rules
	some key in texts
	not filled(rule, key)
}

findings contains sprintf("%s: custom.controls names no requirement", [rule.place]) if {
	some rule in effect_rules
	count(object.get(rule.custom, "controls", [])) == 0
}

findings contains sprintf("%s: %s is no requirement like PCI-DSS-4.0.1/3.4.1", [rule.place, control]) if {
	some rule in effect_rules
	some control in rule.custom.controls
	not regex.match(`^[A-Z][A-Z0-9-]*(-[0-9.]+)?/[0-9A-Z.]+$`, control)
}

findings contains sprintf("%s: %s is no severity", [rule.place, rule.custom.severity]) if {
	some rule in effect_rules
	not rule.custom.severity in severities
}

findings contains sprintf("%s: %s is no effect", [rule.place, rule.custom.effect]) if {
	some rule in effect_rules
	not rule.custom.effect in known_effects
}

findings contains sprintf("%s: the rule never gives its code %s", [rule.place, rule.custom.code]) if {
	some rule in effect_rules
	not rule.custom.code in rule.strings
}

findings contains sprintf("%s: the code %s does not begin with %s", [rule.place, rule.custom.code, family]) if {
	some rule in effect_rules
	family := sprintf("%s.", [split(rule["package"], ".")[1]])
	not startswith(rule.custom.code, family)
}

findings contains sprintf("the code %s is given %d times", [code, count(places)]) if {
	some code in {rule.custom.code | some rule in effect_rules}
	places := {rule.place | some rule in effect_rules; rule.custom.code == code}
	count(places) > 1
}

findings contains sprintf("%s: the package has no title", [path]) if {
	some path, module in input.modules
	not package_titled(module)
}

findings contains sprintf("%s: the package %s belongs into another folder", [path, package_of(module)]) if {
	some path, module in input.modules
	parts := split(path, "/")
	folder := array.slice(parts, 0, count(parts) - 1)
	concat(".", folder) != package_of(module)
}

findings contains sprintf("%s: only %s has an entrypoint", [path, composition]) if {
	some path, module in input.modules
	package_of(module) != composition
	some rule in module.rules
	annotation(rule).entrypoint
}

filled(rule, key) if {
	is_string(rule.custom[key])
	rule.custom[key] != ""
}

package_titled(module) if {
	some found in module.annotations
	found.scope in {"package", "subpackages"}
	found.title != ""
}
