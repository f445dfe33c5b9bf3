"""The evidence package: a deterministic archive of a period that anyone can verify without us."""
