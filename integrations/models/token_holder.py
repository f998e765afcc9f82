import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from integrations import crypto


class TokenHolder(models.Model):
    """A pair of GHL tokens and how it stands with them.

    Tokens are sealed, bound to this row's `seal_id`. `token_version` rises with every new pair and fences off a slow
    renewer; `lease_until` says that somebody is renewing right now. `refresh_sent_at` is committed before the
    single-use refresh token leaves us and cleared with the answer: while it is set, nobody knows whether it is used up.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        UNKNOWN = "unknown", "Access unclear"
        SUSPENDED = "suspended", "Suspended by GHL"
        NEEDS_REAUTH = "needs_reauth", "Needs reconnecting"
        UNINSTALLED = "uninstalled", "Removed in GHL"
        DISCONNECTED = "disconnected", "Disconnected"

    # The stored access token may be sent: in doubt about the refresh token, the old access token still works.
    USABLE = (Status.ACTIVE, Status.UNKNOWN)

    status = models.CharField(max_length=14, choices=Status.choices, default=Status.ACTIVE)
    status_reason = models.TextField(blank=True)
    status_since = models.DateTimeField(default=timezone.now)
    seal_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    sealed_access_token = models.TextField(blank=True, editable=False)
    sealed_refresh_token = models.TextField(blank=True, editable=False)
    token_version = models.PositiveIntegerField(default=0)
    token_obtained_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(null=True, blank=True)
    renew_at = models.DateTimeField(null=True, blank=True)
    renew_tries = models.PositiveIntegerField(default=0)
    refresh_sent_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    company_id = models.CharField(max_length=64, blank=True)

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                name="%(class)s_usable_has_token",
                condition=~Q(status__in=["active", "unknown"]) | ~Q(sealed_access_token=""),
            )
        ]

    @property
    def access_token(self):
        return crypto.unseal(self.sealed_access_token, self._bound("access"))

    @property
    def refresh_token(self):
        return crypto.unseal(self.sealed_refresh_token, self._bound("refresh"))

    def sealed(self, access_token, refresh_token=""):
        """The two columns for these tokens."""
        return {
            "sealed_access_token": crypto.seal(access_token, self._bound("access")),
            "sealed_refresh_token": crypto.seal(refresh_token, self._bound("refresh")),
        }

    def _bound(self, field):
        return f"{self._meta.model_name}|{self.seal_id}|{field}"

    @property
    def is_active(self):
        """Calls can be made with the stored token."""
        return self.status in self.USABLE

    def park(self, status, reason, version=None):
        """Move from a usable status to this one and say why; data stays. True when this call changed it.

        With `version`, only if nobody has stored newer tokens meanwhile.
        """
        rows = type(self)._default_manager.filter(pk=self.pk, status__in=self.USABLE)
        if version is not None:
            rows = rows.filter(token_version=version)
        parked = rows.update(status=status, status_reason=reason, status_since=timezone.now(), lease_until=None)
        if parked:
            self.refresh_from_db()
        return parked == 1
