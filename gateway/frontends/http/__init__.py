"""The http listener: the active bundle for OPA servers, health, metrics."""
