"""From our rows to GHL: edits on their way, once and in order."""
