"""Card numbers in bytes that go out."""
