"""Where callers come in: each translates one protocol to the journey."""
