"""How it all is doing, for whoever answers for it."""
