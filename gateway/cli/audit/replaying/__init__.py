"""Recorded sessions shown again: messages out of frames, tables out of messages, and files that other programs read."""
