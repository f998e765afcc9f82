import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from integrations import crypto

MARGIN = timedelta(seconds=60)


class TokenHolder(models.Model):
    """A pair of GHL tokens and how it stands with them.

    Tokens are sealed, bound to this row and to its owner. `token_version` rises with every new pair and fences off a
    slow renewer; `lease_until` says that somebody is renewing right now, and names who: nobody else has that moment.
    `refresh_sent_at` is committed before the single-use refresh token leaves us and cleared with the answer: while it
    is set, nobody knows whether it is used up. `renew_tries` counts renewals in a row that brought nothing.
    """

    SEALED = {"sealed_access_token": "access", "sealed_refresh_token": "refresh"}

    class Status(models.TextChoices):
        ACTIVE = "active", _("Active")
        UNKNOWN = "unknown", _("Access unclear")
        SUSPENDED = "suspended", _("Suspended by GHL")
        NEEDS_REAUTH = "needs_reauth", _("Needs reconnecting")
        UNINSTALLED = "uninstalled", _("Removed in GHL")
        DISCONNECTED = "disconnected", _("Disconnected")

    # The stored access token may be sent: in doubt about the refresh token, the old access token still works.
    USABLE = (Status.ACTIVE, Status.UNKNOWN)
    # Renewed without a person: a suspended account comes back when its bill is paid.
    RENEWABLE = (*USABLE, Status.SUSPENDED)

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

    def resealed(self):
        """The same columns sealed with the newest key. CannotOpen when one of them cannot be opened here."""
        return {
            column: crypto.seal(crypto.unseal(getattr(self, column), self._bound(field)), self._bound(field))
            for column, field in self.SEALED.items()
        }

    def _bound(self, field):
        return f"{self._meta.model_name}|{self._owner()}|{self.seal_id}|{field}"

    def _owner(self):
        """Whose tokens these are: with it, not even `seal_id` and both columns together open in another's row."""
        raise NotImplementedError

    @property
    def is_active(self):
        """Calls can be made with the stored token."""
        return self.status in self.USABLE

    @property
    def is_static(self):
        """The token is renewed by nobody but a person."""
        return False

    @property
    def margin(self):
        """A token that ends this soon is not handed out: a minute, and less of one that lives for minutes only."""
        if self.expires_at is None:
            return MARGIN
        return min(MARGIN, (self.expires_at - self.token_obtained_at) / 10)

    def lives_at(self, moment):
        return self.expires_at is not None and self.expires_at > moment + self.margin

    @property
    def is_losing_access(self):
        """GHL has refused the refresh token: the access token is the last one."""
        return self.status == self.Status.UNKNOWN and self.refresh_sent_at is None

    def row(self):
        return type(self)._default_manager.filter(pk=self.pk)

    def take_lease(self):
        """Leave to renew this pair: True for one caller. The moment it ends is the lease's name, see write_leased."""
        now = timezone.now()
        until = now + timedelta(seconds=settings.WORK_LEASE_S)
        free = Q(lease_until=None) | Q(lease_until__lt=now)
        won = self.row().filter(free, token_version=self.token_version, status=self.status).update(lease_until=until)
        if won:
            self.lease_until = until
        return won == 1

    def write_leased(self, **values):
        """Change the row, only while our lease holds and nobody has stored newer tokens."""
        ours = self.row().filter(token_version=self.token_version, lease_until=self.lease_until)
        return ours.update(**values) == 1

    def end_lease(self, status, reason, **values):
        """The last word of a renewal that was answered."""
        return self.write_leased(**self.standing(status, reason), lease_until=None, refresh_sent_at=None, **values)

    def standing(self, status, reason):
        """The columns of a new status; it began earlier when it is the old one."""
        since = self.status_since if status == self.status else timezone.now()
        return {"status": status, "status_reason": reason, "status_since": since}

    def forget(self, status, reason, **values):
        """Wipe the tokens; a renewal that is under way comes too late to bring them back."""
        empty = dict.fromkeys(self.SEALED, "") | dict.fromkeys(("expires_at", "renew_at", "refresh_sent_at"))
        values |= self.standing(status, reason) | empty | {"renew_tries": 0, "lease_until": None}
        self.row().update(**values, token_version=F("token_version") + 1)
        self.refresh_from_db()

    def park(self, status, reason, version=None, **values):
        """Move from a usable status to this one and say why; data stays. True when this call changed it.

        With `version`, only if nobody has stored newer tokens meanwhile.
        """
        rows = type(self)._default_manager.filter(pk=self.pk, status__in=self.USABLE)
        if version is not None:
            rows = rows.filter(token_version=version)
        values |= {"status": status, "status_reason": reason, "status_since": timezone.now(), "lease_until": None}
        parked = rows.update(**values)
        if parked:
            self.refresh_from_db()
        return parked == 1
