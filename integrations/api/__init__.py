"""The API an ERP speaks to: its doors, what may be written and what may be read."""
