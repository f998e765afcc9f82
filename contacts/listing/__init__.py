"""Lists of contacts: what narrows, finds, shows and orders them, and what is done to many at once."""
