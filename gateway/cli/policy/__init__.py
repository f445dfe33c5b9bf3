"""The life of a policy bundle: `querywarden policy`. Only check, test and build --rebuild need the opa program."""

import cyclopts

app = cyclopts.App(name="policy", help="The life of a policy bundle.")
app.command("gateway.cli.policy.checking:check", name="check", help="Prove that a policy is fit to be a bundle.")
app.command("gateway.cli.policy.testing:run_tests", name="test", help="Run a policy's tests; measure their coverage.")
app.command("gateway.cli.policy.building:build", name="build", help="Put rules and site data into a bundle.")
app.command("gateway.cli.policy.signing:sign", name="sign", help="Sign a bundle, replacing any signature it has.")
app.command("gateway.cli.policy.verifying:verify", name="verify", help="Verify a bundle as the gateway would.")
app.command("gateway.cli.policy.keygen:keygen", name="keygen", help="Make a key pair that signs bundles.")
app.command("gateway.cli.policy.trying:try_", name="try", help="Decide about a statement; nothing is executed.")
app.command("gateway.cli.policy.ordering:activate", name="activate", help="Bring a bundle into force now, recorded.")
app.command("gateway.cli.policy.ordering:rollback", name="rollback", help="Go back to a bundle that was active before.")
app.command("gateway.cli.policy.history:log", name="log", help="Which bundle decided when, by whose order and why.")
app.command("gateway.cli.policy.shadowing:shadow", name="shadow", help="What a candidate would have decided otherwise.")
app.command(
    "gateway.cli.policy.ordering:stop", name="stop", help="Emergency: deny an agent, a group, everything at once."
)
app.command("gateway.cli.policy.ordering:stops", name="stops", help="The emergency stops that stand.")
app.command("gateway.cli.policy.ordering:lift", name="lift", help="Let an emergency stop go.")
app.command("gateway.cli.policy.backtesting:backtest", name="backtest", help="A candidate over recorded inputs.")
app.command("gateway.cli.policy.backtesting:export", name="history", help="Export recorded decisions as Parquet.")
app.command(
    "gateway.cli.policy.for_opa:opa_config", name="opa-config", help="What an OPA server needs of this gateway."
)
app.command("gateway.cli.policy.matrix:matrix", name="matrix", help="Requirements, rules, tests, decisions.")
app.command("gateway.cli.policy.diffing:diff", name="diff", help="What differs between two bundles.")
app.command(
    "gateway.cli.policy.mutating:mutate", name="mutate", help="Spoil each line of each rule; tests must notice."
)
app.command("gateway.cli.policy.vetting:vectors", name="vectors", help="Ask a bundle everything its vectors ask.")
app.command("gateway.cli.policy.init:init", name="init", help="A repository for your own policy, with a pipeline.")
