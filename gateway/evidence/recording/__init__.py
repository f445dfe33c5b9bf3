"""Recordings of sessions (`.gwr`): what the agent sent, redacted, and what it received. Written here, never read."""
