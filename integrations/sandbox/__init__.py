"""Sandbox GHL: a fake of the GoHighLevel API and consent pages, in memory, for development and tests."""
