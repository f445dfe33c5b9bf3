"""The codes of policy: why a decision could not be had, and why a bundle is not one to decide by. See `codes.py`."""

from gateway.core.code import DENIED as _DENIED
from gateway.core.code import UNAVAILABLE as _UNAVAILABLE
from gateway.core.code import Code

POLICY_CODES: dict[str, Code] = {
    # --- policy ----------------------------------------------------------------------------------------------------
    "policy.denied": Code(*_DENIED, "policy does not allow this statement", "See the reasons given with this error."),
    "policy.stopped": Code(
        *_DENIED, "an emergency stop is in force", "Wait, and ask the operator, who can say why and lift it."
    ),
    "policy.unavailable": Code(
        *_UNAVAILABLE, "no valid policy bundle is active", "Ask the operator to activate a signed bundle."
    ),
    "policy.timeout": Code(
        *_UNAVAILABLE, "policy took too long to answer", "Send a simpler statement; ask the policy owner if it stays."
    ),
    "policy.engine": Code(
        *_UNAVAILABLE, "the policy engine failed", "Ask the operator to look at the active bundle; retry."
    ),
    "policy.opa_down": Code(
        *_UNAVAILABLE, "the OPA server cannot be reached", "Ask the operator to look at the OPA server; retry."
    ),
    "policy.opa_slow": Code(
        *_UNAVAILABLE,
        "the OPA server took too long to answer",
        "Retry; if it stays, ask the operator to look at the OPA server and at `policy.opa.timeout`.",
    ),
    "policy.opa_refused": Code(
        *_UNAVAILABLE,
        "the OPA server refused the question",
        "Ask the operator: it needs no authorization for `/v1/query`, or the token of `policy.opa.token`.",
    ),
    "policy.opa_nonsense": Code(
        *_UNAVAILABLE, "the OPA server answered what cannot be read", "Ask the operator what answers at that address."
    ),
    "policy.other_bundle": Code(
        *_UNAVAILABLE,
        "the OPA server decides by another bundle than the gateway's",
        "Wait until it has loaded the gateway's bundle; ask the operator if it stays.",
    ),
    "policy.engines_differ": Code(
        *_UNAVAILABLE,
        "two policy engines answered differently",
        "Tell the operator: one of the two engines cannot be trusted.",
    ),
    "policy.capability": Code(
        *_UNAVAILABLE, "the policy asks for what only its host could answer", "Build the bundle with `policy build`."
    ),
    "policy.undefined": Code(
        *_UNAVAILABLE, "policy gave no decision", "Ask the policy owner: the bundle has no answer for this input."
    ),
    "policy.invalid_decision": Code(
        *_UNAVAILABLE, "policy answered what is no decision", "Ask the policy owner to correct the bundle."
    ),
    "policy.invalid_input": Code(
        *_DENIED, "the statement's facts do not fit the input schema", "Report the statement to the operator."
    ),
    "policy.label_uncovered": Code(
        *_DENIED, "the decision leaves a protected column open", "Ask the policy owner to correct the bundle."
    ),
    "obligation.unsupported": Code(
        *_DENIED, "policy asks for something this gateway does not do yet", "Ask the policy owner to change the rule."
    ),
    # --- policy bundles --------------------------------------------------------------------------------------------
    "bundle.missing": Code(*_UNAVAILABLE, "there is no bundle where one should be", "Build one: `policy build`."),
    "bundle.too_large": Code(*_UNAVAILABLE, "the bundle is larger than allowed", "Put less data into the bundle."),
    "bundle.malformed": Code(
        *_UNAVAILABLE,
        "the bundle's archive is damaged or not as `policy build` and `policy sign` write it",
        "Get it again from where it was built, or write it anew with `policy sign`.",
    ),
    "bundle.unsigned": Code(*_UNAVAILABLE, "the bundle is not signed", "Sign it: `policy sign`."),
    "bundle.unknown_key": Code(
        *_UNAVAILABLE,
        "the bundle is signed with a key that is not configured",
        "Add the signer's public key to `policy.verification_keys`, if it is one you trust.",
    ),
    "bundle.algorithm": Code(
        *_UNAVAILABLE,
        "the signature's algorithm is not the one of its key",
        "Sign with RS256 (RSA) or ES256 (P-256).",
    ),
    "bundle.claims": Code(
        *_UNAVAILABLE,
        "the signature does not say what it must",
        "Sign with `policy sign`, or give `keyid`, `sequence` and `not_before` as claims.",
    ),
    "bundle.signature": Code(
        *_UNAVAILABLE, "the bundle's signature is wrong", "Do not use this bundle; get it again from its builder."
    ),
    "bundle.tampered": Code(
        *_UNAVAILABLE,
        "the bundle's files are not the ones that were signed",
        "Do not use this bundle; get it again from its builder, and find out who changed it.",
    ),
    "bundle.not_yet_valid": Code(*_UNAVAILABLE, "the bundle is not valid yet", "Wait, or check this machine's clock."),
    "bundle.expired": Code(*_UNAVAILABLE, "the bundle has expired", "Sign it again, or activate a newer one."),
    "bundle.manifest": Code(
        *_UNAVAILABLE, "the bundle's manifest is not one this gateway understands", "Build it with this version."
    ),
    "bundle.wasm": Code(
        *_UNAVAILABLE, "the compiled policy is not the one the manifest names", "Build the bundle again."
    ),
    "bundle.data": Code(
        *_UNAVAILABLE, "the bundle's data cannot be used", "Correct the site data and build the bundle again."
    ),
    "bundle.vectors": Code(
        *_UNAVAILABLE,
        "the bundle does not bring the vectors it must be tried by",
        "Build it with this version; `policy build --rebuild` takes them from `rego_tests/vectors`.",
    ),
    "bundle.vectors_failed": Code(
        *_UNAVAILABLE,
        "the bundle answers one of its own vectors otherwise",
        "Correct the rules, the site data or the vector, and build the bundle again.",
    ),
    "bundle.runaway": Code(
        *_UNAVAILABLE, "a rule of the bundle does not come to an end", "Simplify the rule, and build the bundle again."
    ),
    "bundle.capability": Code(
        *_UNAVAILABLE,
        "the bundle's compiled policy asks its host for what it must not have",
        "Build it with `policy build`: only built-ins of `capabilities.json` are compiled in.",
    ),
    "bundle.not_run": Code(
        *_UNAVAILABLE, "the bundle's compiled policy cannot be run", "Build the bundle again with `policy build`."
    ),
    "bundle.sequence": Code(
        *_UNAVAILABLE,
        "the bundle is older than one that has decided here",
        "Give it a higher sequence, or go back on purpose with `policy rollback --reason …`.",
    ),
    "bundle.withdrawn": Code(
        *_UNAVAILABLE,
        "this bundle was rolled back from",
        "Build a corrected one, or bring this one back on purpose with `policy activate --reason …`.",
    ),
    "bundle.revoked_key": Code(
        *_UNAVAILABLE, "the bundle is signed with a key that was revoked", "Sign it with a key that is still trusted."
    ),
    "bundle.unreachable": Code(
        *_UNAVAILABLE, "the bundle server does not give a bundle", "Look at the server and `policy.bundle_server`."
    ),
    "bundle.not_taken": Code(
        *_UNAVAILABLE,
        "the OPA server did not load the bundle in time",
        "Look at OPA's log: it verifies the bundle itself, with keys of its own configuration.",
    ),
    "bundle.not_kept": Code(
        *_UNAVAILABLE,
        "the archive of past bundles has no bundle to go back to",
        "Look at `policy log`, and name one that was active here.",
    ),
    "bundle.demo": Code(
        *_UNAVAILABLE,
        "this is the demo's bundle, whose private key everybody has",
        "Build and sign a bundle of your own: `policy build`.",
    ),
    "order.invalid": Code(
        "42601", 1064, 400, "this is not an order that can be carried out", "Use `querywarden policy` to give orders."
    ),
    "opa.missing": Code(
        *_UNAVAILABLE, "the program opa cannot be run", "Install OPA 1.22 or newer, or run `sh tools/build.sh`."
    ),
    "bundle.key": Code(
        *_UNAVAILABLE,
        "a key for bundles cannot be used",
        "Give a PEM file with an RSA key of 2048 bits or more, or an EC key on P-256.",
    ),
}
