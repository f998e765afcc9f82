"""What GHL tells us by webhook: kept, and looked at again."""
