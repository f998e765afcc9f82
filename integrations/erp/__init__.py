"""What an ERP and we say to one another over HTTP: signatures and payloads. Knows no model of ours."""
