"""Keys that are none of the gateway's own: `querywarden keys`."""

import cyclopts

app = cyclopts.App(name="keys", help="Keys of those who read recordings.")
app.command("gateway.cli.keys.recording:recording", name="recording", help="Make a key pair that opens recordings.")
