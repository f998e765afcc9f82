"""GoHighLevel (GHL) spoken over HTTP: requests, answers, limits and shapes. Knows no models of ours."""
