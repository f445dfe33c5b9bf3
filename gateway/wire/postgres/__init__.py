"""The PostgreSQL frontend/backend protocol, both sides."""
