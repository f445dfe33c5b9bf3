"""Tokens in, principals out."""
