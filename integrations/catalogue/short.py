"""An answer of GHL's cut down to what is worth keeping."""

from typing import Any

MOST_ROWS, MOST_KEYS, MOST_CHARACTERS, DEEPEST = 3, 40, 300, 5


def in_short(value, depth=0):
    """The same shape, with long lists, texts and depths cut; what was cut says so."""
    if isinstance(value, dict):
        if depth >= DEEPEST:
            return "…"
        named: dict[str, Any] = {str(key): in_short(each, depth + 1) for key, each in list(value.items())[:MOST_KEYS]}
        return named if len(value) <= MOST_KEYS else {**named, "…": len(value) - MOST_KEYS}
    if isinstance(value, list):
        if depth >= DEEPEST:
            return "…"
        kept = [in_short(each, depth + 1) for each in value[:MOST_ROWS]]
        return kept if len(value) <= MOST_ROWS else [*kept, f"… {len(value) - MOST_ROWS}"]
    if isinstance(value, str) and len(value) > MOST_CHARACTERS:
        return f"{value[:MOST_CHARACTERS]}…"
    return value
