"""PostgreSQL's protocol 3.0 to 3.2, both sides (PostgreSQL 18, chapter 54): bytes to messages, messages to bytes."""
