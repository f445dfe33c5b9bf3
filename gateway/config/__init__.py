"""The operator's file, checked."""
