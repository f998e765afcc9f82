"""Being let in by GHL: connecting, tokens, and what happens when they are lost."""
