from datetime import timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy, gettext_noop

from contacts.models import Business, Location, Role
from integrations.models.token_holder import TokenHolder

READ_ONLY = gettext_noop("GHL granted read access only, so contacts can be read here but not changed.")
PIT_WARNS_AFTER = timedelta(days=80)  # GHL advises a new Private Integration Token every 90 days


class ConnectionQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(location__business__memberships__user=user) if user.is_authenticated else self.none()

    def administered_by(self, user):
        return self.filter(location__business__memberships__user=user, location__business__memberships__role=Role.ADMIN)

    def working(self):
        """Those whose stored token can be sent."""
        return self.filter(status__in=Connection.USABLE)


class AgencyQuerySet(models.QuerySet):
    def administered_by(self, user):
        return self.filter(business__memberships__user=user, business__memberships__role=Role.ADMIN)


class Agency(TokenHolder):
    """An agency's own access, as one Business was given it: it can make tokens for each of the agency's locations."""

    business = models.ForeignKey(Business, models.CASCADE, related_name="agencies")
    connected_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    connected_at = models.DateTimeField(default=timezone.now)

    objects = AgencyQuerySet.as_manager()

    class Meta(TokenHolder.Meta):
        verbose_name_plural = "agencies"
        constraints = [
            *TokenHolder.Meta.constraints,
            models.UniqueConstraint(fields=["business", "company_id"], name="agency_once_per_business"),
        ]

    def __str__(self):
        return f"agency {self.company_id} of {self.business}"

    def _owner(self):
        return f"business {self.business_id}"


class Connection(TokenHolder):
    """How a Location is reached. One per Location, replaced in place, so that a reconnect keeps the data.

    With `agency` a lost refresh token costs nobody anything: the agency's access makes a new pair.
    """

    class Kind(models.TextChoices):
        OAUTH = "oauth", "OAuth"
        PIT = "pit", gettext_lazy("Private Integration Token")

    location = models.OneToOneField(Location, models.CASCADE, related_name="connection")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    agency = models.ForeignKey(Agency, models.SET_NULL, null=True, blank=True, related_name="connections")
    scopes = ArrayField(models.CharField(max_length=100), default=list, blank=True)
    installer_id = models.CharField(max_length=64, blank=True)
    connected_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    connected_at = models.DateTimeField(default=timezone.now)

    objects = ConnectionQuerySet.as_manager()

    def __str__(self):
        return f"{self.get_kind_display()} connection of {self.location}"

    @property
    def is_static(self):
        return self.kind == self.Kind.PIT

    def has_scope(self, scope):
        return scope in self.scopes

    def lose_scopes(self, *scopes):
        """GHL has refused for want of these: somebody took them from us. What needs them is off until a reconnect."""
        self.scopes = [scope for scope in self.scopes if scope not in scopes]
        self.save(update_fields=["scopes"])
        self.say_what_is_editable()

    def say_what_is_editable(self):
        """On the location, where the pages look: they know nothing of scopes."""
        location = self.location
        location.is_editable = self.has_scope("contacts.write")
        location.not_editable_because = "" if location.is_editable else READ_ONLY
        location.is_bookable = self.has_scope("calendars/events.write")
        location.save(update_fields=["is_editable", "not_editable_because", "is_bookable"])

    @property
    def wants_new_token(self):
        """A Private Integration Token that should be rotated before GHL's ninety days are over."""
        return self.kind == self.Kind.PIT and timezone.now() - self.token_obtained_at >= PIT_WARNS_AFTER

    def _owner(self):
        # The location is the tenant's and holds all its data. A location that moved would take its access along.
        return f"location {self.location_id}"


class ConnectAttempt(models.Model):
    """One click on Connect: the OAuth state, single-use, bound to a session, a user and a Business, ten minutes.

    Only a hash of the state is kept: a reader of the table cannot finish somebody else's attempt.
    """

    LIFETIME = timedelta(minutes=10)

    state_hash = models.CharField(max_length=64, unique=True)
    session_hash = models.CharField(max_length=64)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    business = models.ForeignKey(Business, models.CASCADE, related_name="+")
    location = models.ForeignKey(Location, models.CASCADE, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self):
        return f"connect attempt of {self.user} for {self.business}"

    def use(self):
        """True for the one call that spends this attempt in time."""
        return (
            ConnectAttempt.objects.filter(
                pk=self.pk, used_at=None, created_at__gt=timezone.now() - self.LIFETIME
            ).update(used_at=timezone.now())
            == 1
        )


class Usage(models.Model):
    """What one connection spent in one UTC day."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="usage")
    day = models.DateField()
    requests = models.PositiveIntegerField(default=0)
    retries = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["connection", "day"], name="usage_once_a_day")]

    def __str__(self):
        return f"{self.requests} requests on {self.day}"

    @classmethod
    def add(cls, connection_id, requests=0, retries=0, refused=0):
        if not (requests or retries or refused):
            return
        day = timezone.now().date()
        spent = {
            "requests": F("requests") + requests,
            "retries": F("retries") + retries,
            "refused": F("refused") + refused,
        }
        if not cls.objects.filter(connection_id=connection_id, day=day).update(**spent):
            cls.objects.get_or_create(connection_id=connection_id, day=day)
            cls.objects.filter(connection_id=connection_id, day=day).update(**spent)
