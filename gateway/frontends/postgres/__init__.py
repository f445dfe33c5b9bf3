"""PostgreSQL clients: messages to the journey and back."""
