"""Statements that wait for a person."""
