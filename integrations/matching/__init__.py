"""What an ERP told us: kept first, then matched with a contact and applied; what matches nobody waits for a person."""
