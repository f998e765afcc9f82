"""What contacts, tasks, notes and appointments have in common: each is our copy of a row in GHL."""

from datetime import UTC, date, datetime

from django.db import models
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from contacts.models.location import Location, OfLocationQuerySet


class MirroredQuerySet(OfLocationQuerySet):
    def present(self):
        return self.filter(deleted_at=None)


def plain(value):
    """The value as it stands in a snapshot, a Change or a HistoryEvent: JSON, instants in UTC."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="milliseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return list(value)
    return value


class Mirrored(models.Model):
    """A row that also lives in GHL.

    `VALUES` are the keys of a snapshot: the row's own fields under our names. A key ending in `_remote_id` names
    a foreign key of ours by the id GHL uses, so that snapshots and Changes can be read without our database.
    `remote_id` is null until GHL has created the row. `deleted_at` is a tombstone: here or there it was deleted.
    """

    KIND = ""
    VALUES: tuple[str, ...] = ()

    location = models.ForeignKey(Location, models.CASCADE, related_name="%(class)ss")
    remote_id = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001 (null: not yet in GHL)
    snapshot = models.JSONField(default=dict, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    objects = MirroredQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args, **options):
        if options.get("update_fields") is not None:
            options["update_fields"] = {*options["update_fields"], "updated_at"}
        super().save(*args, **options)

    def value(self, key):
        """The row's present value under a snapshot key, as plain JSON."""
        if key.endswith("_remote_id"):
            related = getattr(self, key.removesuffix("_remote_id"))
            return related.remote_id if related else ""
        return plain(getattr(self, key))

    def set_value(self, key, value, references=None):
        """Take a plain value. `references[key]` maps remote ids to primary keys; without it the row is looked up."""
        if key.endswith("_remote_id"):
            name = key.removesuffix("_remote_id")
            if references is not None:
                pk = references[key].get(value)
            else:
                model = self._meta.get_field(name).related_model
                found = model.objects.filter(location_id=self.location_id, remote_id=value) if value else None
                pk = found.values_list("pk", flat=True).first() if found is not None else None
            setattr(self, f"{name}_id", pk)
        else:
            setattr(self, key, self._parsed(key, value))

    def typed(self, values):
        """Plain values with their dates and instants as Python has them."""
        return {key: value if key.endswith("_remote_id") else self._parsed(key, value) for key, value in values.items()}

    def _parsed(self, key, value):
        if key not in self.VALUES or not isinstance(value, str):
            return value
        field = self._meta.get_field(key)
        if isinstance(field, models.DateTimeField):
            return parse_datetime(value) if value else None
        if isinstance(field, models.DateField):
            return parse_date(value) if value else None
        return value

    @classmethod
    def attribute(cls, key):
        """The model field behind a snapshot key."""
        return key.removesuffix("_remote_id") if key.endswith("_remote_id") else key
