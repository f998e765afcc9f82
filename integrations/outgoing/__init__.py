"""What an ERP is told, by signed webhooks."""

from integrations.outgoing.posting import hooks_of, post

__all__ = ["hooks_of", "post"]
