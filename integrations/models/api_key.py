import hashlib
import secrets
import uuid
from datetime import timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contacts.models import Business, Role
from integrations import crypto

MARK = "rk_"  # what every key begins with, so that one that got out is recognised
SHOWN = 8  # letters of a key that stay readable


class Scope(models.TextChoices):
    EVENTS = "events:write", _("Send events")
    CUSTOMERS = "customers:write", _("Create and update customers")
    TASKS = "tasks:write", _("Create and update tasks")
    NOTES = "notes:write", _("Create and update notes")
    READ = "read", _("Read contacts, tasks, notes, appointments and history")


class ApiKeyQuerySet(models.QuerySet):
    def administered_by(self, user):
        return self.filter(business__memberships__user=user, business__memberships__role=Role.ADMIN)

    def valid(self):
        return self.filter(revoked_at=None)

    def with_token(self, token):
        """The valid key this token is of, or None."""
        return self.valid().filter(token_hash=hash_of(token)).select_related("business").first()

    def make(self, business, name, scopes, by):
        """(key, its token, its signing secret). The two are told this once and never again."""
        token, secret = MARK + secrets.token_urlsafe(32), secrets.token_urlsafe(32)
        key = ApiKey(business=business, name=name, scopes=list(scopes), made_by=by)
        key.token_hash, key.prefix = hash_of(token), token[: len(MARK) + SHOWN]
        key.sealed_secret = crypto.seal(secret, key._bound())
        key.save()
        return key, token, secret


def hash_of(token):
    """A fast hash will do: nobody guesses 256 random bits, so there is nothing for a slow one to slow down."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


class ApiKey(models.Model):
    """A way in for one business's ERP: by its token, of which we keep a hash, or by requests signed with its secret.

    A signature can be checked only by who has the secret, so that one is kept, sealed.
    """

    SEALED = {"sealed_secret": "secret"}

    business = models.ForeignKey(Business, models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=16, unique=True)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    seal_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    sealed_secret = models.TextField(editable=False)
    scopes = ArrayField(models.CharField(max_length=30, choices=Scope.choices), default=list)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    used_at = models.DateTimeField(null=True, blank=True)
    replaces = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="replaced_by")
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        verbose_name = "API key"
        ordering = ["-created_at", "-pk"]

    def __str__(self):
        return f"{self.name} ({self.prefix}…)"

    @property
    def secret(self):
        return crypto.unseal(self.sealed_secret, self._bound())

    def resealed(self):
        return {"sealed_secret": crypto.seal(self.secret, self._bound())}

    def _bound(self):
        return f"apikey|{self.business_id}|{self.seal_id}|secret"

    @property
    def scope_words(self):
        return [Scope(scope).label for scope in self.scopes if scope in Scope.values]

    @property
    def is_replaced(self):
        """A newer key stands beside this one: it can be revoked as soon as the ERP uses that."""
        return self.revoked_at is None and any(new.revoked_at is None for new in self.replaced_by.all())

    def rotate(self, by):
        """(key, token, secret) of a new one that may do the same. This one works beside it until it is revoked."""
        new, token, secret = ApiKey.objects.make(self.business, self.name, self.scopes, by)
        ApiKey.objects.filter(pk=new.pk).update(replaces=self)
        return new, token, secret

    def revoke(self, by):
        """True for the one call that did."""
        return ApiKey.objects.valid().filter(pk=self.pk).update(revoked_at=timezone.now(), revoked_by=by) == 1

    def touch(self):
        """Remember that it is used; once a minute is exact enough, and every request would otherwise wait for it."""
        long_ago = timezone.now() - timedelta(minutes=1)
        if self.used_at is None or self.used_at < long_ago:
            stale = Q(used_at=None) | Q(used_at__lt=long_ago)
            ApiKey.objects.filter(stale, pk=self.pk).update(used_at=timezone.now())
