"""A pretend ERP for the demo. It knows nothing of ours but what docs/erp-api.md says, and Standard Webhooks."""
