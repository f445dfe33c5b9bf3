"""Copies of the log for others: each sink is a cursor over it, so that the log itself is the spool."""
