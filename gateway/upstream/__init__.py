"""Connections to the real databases; the only place that reads a credential."""
