"""The auditor's desk: `querywarden audit`. Reads the log as it lies on disk, also while a gateway writes it."""

import cyclopts

app = cyclopts.App(name="audit", help="The auditor's desk: explain, search, prove, verify.")
app.command("gateway.cli.audit.digest:digest", name="digest", help="One day, what stands out first.")
app.command("gateway.cli.audit.explain:explain", name="explain", help="Everything about one decision, and a proof.")
app.command("gateway.cli.audit.exporting:export", name="export", help="The evidence of a period, in one signed file.")
app.command("gateway.cli.audit.index:index", name="index", help="Bring the search index up to the log; check; export.")
app.command("gateway.cli.audit.prune:prune", name="prune", help="What is older than it must be kept goes, recorded.")
app.command("gateway.cli.audit.prove:prove", name="prove", help="One decision's proof, a file that stands alone.")
app.command(
    "gateway.cli.audit.reconcile:reconcile", name="reconcile", help="The database's own log: what went round us."
)
app.command("gateway.cli.audit.replay:replay", name="replay", help="A session again; as packets, JSON, a film.")
app.command("gateway.cli.audit.root:app", name="root", help="One log over the logs of a fleet: collect, prove, check.")
app.command("gateway.cli.audit.sample:sample", name="sample", help="Decisions of a period, fixed, then drawn.")
app.command(
    "gateway.cli.audit.scan:scan", name="scan", help="No card number is stored: look, and sign what it came to."
)
app.command("gateway.cli.audit.shred:shred", name="shred", help="Destroy the key of a session's recording, recorded.")
app.command("gateway.cli.audit.signoff:sign_off", name="sign-off", help="A day was looked at: by whom, and why.")
app.command(
    "gateway.cli.audit.replay_decisions:replay_decisions",
    name="replay-decisions",
    help="Compute a period's decisions again.",
)
app.command("gateway.cli.audit.search:search", name="search", help="Find decisions, the latest first.")
app.command("gateway.cli.audit.sinks:sinks", name="sinks", help="How far each sink is; what its receiver refused.")
app.command(
    "gateway.cli.audit.verify:verify", name="verify", help="Derive the whole log again; name what does not fit."
)
