"""The clients that agents use, each a way to run a case and to write down every text that came back."""
