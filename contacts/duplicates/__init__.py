"""Who may be the same person, and comparing two contacts."""
