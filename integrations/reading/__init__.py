"""From GHL to our rows: reading, comparing, and believing in nobody's absence."""
