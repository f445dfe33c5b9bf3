"""Nouns everyone shares. Imports nothing of ours."""
