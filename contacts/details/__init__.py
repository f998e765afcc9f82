"""A contact's details: its fields in words, numbers, places, channels and texts."""
