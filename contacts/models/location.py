from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from contacts.models.business import Business, Role


class LocationQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(business__memberships__user=user) if user.is_authenticated else self.none()

    def administered_by(self, user):
        return self.filter(business__memberships__user=user, business__memberships__role=Role.ADMIN)


class Location(models.Model):
    """One GHL sub-account of a Business, and how fresh our copy of it is."""

    business = models.ForeignKey(Business, models.CASCADE, related_name="locations")
    remote_id = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=200, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    currency = models.CharField(max_length=3, blank=True)
    allow_duplicates = models.BooleanField(default=False)
    # Written by whoever connects the location; the pages only read it.
    is_editable = models.BooleanField(default=True)
    not_editable_because = models.CharField(max_length=300, blank=True)
    is_bookable = models.BooleanField(default=True)
    # When the whole location was last compared with GHL, by kind.
    contacts_checked_at = models.DateTimeField(null=True, blank=True)
    tasks_checked_at = models.DateTimeField(null=True, blank=True)
    notes_checked_at = models.DateTimeField(null=True, blank=True)
    appointments_checked_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = LocationQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]

    def __str__(self):
        return self.name or self.remote_id

    @property
    def zone(self):
        try:
            return ZoneInfo(self.time_zone)
        except (KeyError, ValueError):  # GHL lets people type a zone that no clock knows
            return ZoneInfo("UTC")

    def today(self):
        return timezone.now().astimezone(self.zone).date()


class OfLocationQuerySet(models.QuerySet):
    def visible_to(self, user):
        """The one door: rows of the businesses this user is a member of."""
        return self.filter(location__business__memberships__user=user) if user.is_authenticated else self.none()

    def of_business(self, business):
        """The same door for a machine that was let in by a key of one business."""
        return self.filter(location__business=business)


class RemoteUserQuerySet(OfLocationQuerySet):
    def belong_to(self, user, location, chosen):
        """In this location the user is `chosen`, or nobody for None. False when somebody else is that GHL user."""
        with transaction.atomic():
            free = models.Q(user=None) | models.Q(user=user)
            if chosen and not self.select_for_update().filter(free, pk=chosen.pk, location=location).exists():
                return False
            self.filter(location=location, user=user).update(user=None, is_decided=True)
            if chosen:
                self.filter(pk=chosen.pk).update(user=user, is_decided=True)
            return True


class RemoteUser(models.Model):
    """A person as GHL knows them in one location; linked to a User it gives "my tasks" and note authors."""

    location = models.ForeignKey(Location, models.CASCADE, related_name="remote_users")
    remote_id = models.CharField(max_length=64)
    name = models.CharField(max_length=200, blank=True)
    email = models.EmailField(max_length=254, blank=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="remote_users"
    )
    # An admin has said who this is, or that it is nobody of ours: e-mails that agree no longer link it by themselves.
    is_decided = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)

    objects = RemoteUserQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["location", "remote_id"], name="remote_user_once"),
            models.UniqueConstraint(fields=["location", "user"], name="remote_user_of_one_person"),
        ]
        ordering = ["name", "pk"]

    def __str__(self):
        return self.name or _("Unknown GHL user")


class Calendar(models.Model):
    location = models.ForeignKey(Location, models.CASCADE, related_name="calendars")
    remote_id = models.CharField(max_length=64)
    name = models.CharField(max_length=200, blank=True)
    is_active = models.BooleanField(default=True)

    objects = OfLocationQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["location", "remote_id"], name="calendar_once")]
        ordering = ["name", "pk"]

    def __str__(self):
        return self.name


class CustomField(models.Model):
    """A field this location added to its contacts. Values live on the contact under `remote_id`."""

    location = models.ForeignKey(Location, models.CASCADE, related_name="custom_fields")
    remote_id = models.CharField(max_length=64)
    name = models.CharField(max_length=200)
    key = models.CharField(max_length=200, blank=True)
    data_type = models.CharField(max_length=40, blank=True)
    options = models.JSONField(default=list, blank=True)
    position = models.IntegerField(default=0)
    # Of the folder the field stands in, its id and its name. GHL does not always tell the name.
    group = models.CharField(max_length=200, blank=True)
    group_name = models.CharField(max_length=200, blank=True)

    objects = OfLocationQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["location", "remote_id"], name="custom_field_once")]
        ordering = ["group", "position", "name", "pk"]

    def __str__(self):
        return self.name


class Tag(models.Model):
    """A word in the location's tag dictionary. Contacts carry the words themselves, as GHL does."""

    location = models.ForeignKey(Location, models.CASCADE, related_name="tags")
    remote_id = models.CharField(max_length=64, blank=True)
    name = models.CharField(max_length=200)

    objects = OfLocationQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["location", "name"], name="tag_once")]
        ordering = ["name"]

    def __str__(self):
        return self.name
