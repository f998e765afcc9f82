from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _

from contacts.models.change import Change
from contacts.models.contact import Contact
from contacts.models.editable import Editable, NotEditable
from contacts.models.location import Calendar, RemoteUser
from contacts.models.mirrored import MirroredQuerySet


class AppointmentQuerySet(MirroredQuerySet):
    def upcoming(self, now):
        """Still to come, and still meant to happen."""
        return self.present().filter(starts_at__gte=now).exclude(status__in=Appointment.CALLED_OFF)


class Appointment(Editable):
    """A booking in a GHL calendar. `raw_start` keeps GHL's own words, which may carry no offset.

    GHL gives every booking a calendar and a start; to move one, say both times.
    """

    KIND = "appointment"
    VALUES = (
        "title", "status", "starts_at", "ends_at", "address", "notes", "calendar_remote_id", "assignee_remote_id",
    )  # fmt: skip
    OFF = ("cancelled", "canceled", "invalid")  # a no-show did take an hour of somebody's day
    CALLED_OFF = ("cancelled", "canceled", "noshow", "no-show", "invalid")  # GHL's words, as they have been seen

    # Its index is the one by contact and start.
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="appointments", db_index=False)
    calendar = models.ForeignKey(Calendar, models.SET_NULL, null=True, blank=True, related_name="appointments")
    assignee = models.ForeignKey(RemoteUser, models.SET_NULL, null=True, blank=True, related_name="appointments")
    title = models.TextField(blank=True)
    status = models.CharField(max_length=40, blank=True)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    raw_start = models.CharField(max_length=60, blank=True)
    address = models.TextField(blank=True)
    notes = models.TextField(blank=True)
    remote_added_at = models.DateTimeField(null=True, blank=True)
    remote_updated_at = models.DateTimeField(null=True, blank=True)

    objects = AppointmentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["location", "remote_id"], condition=Q(remote_id__isnull=False), name="appointment_once"
            )
        ]
        indexes = [
            models.Index(fields=["contact", "starts_at"], name="appointment_of_contact"),
            models.Index(fields=["location", "starts_at"], condition=Q(deleted_at=None), name="appointment_by_start"),
            models.Index(fields=["assignee", "starts_at"], condition=Q(deleted_at=None), name="appointment_of_person"),
            models.Index(fields=["location", "updated_at", "id"], name="appointment_by_move"),
        ]

    def __str__(self):
        return self.title or _("Appointment")

    def check_editable(self):
        super().check_editable()
        if not self.location.is_bookable:
            raise NotEditable(
                _("GHL has not given us permission to change appointments. An admin can reconnect and allow it.")
            )

    def _history_kind(self, verb, values):
        if verb == Change.Verb.CREATE:
            return "appointment_booked"
        if verb == Change.Verb.UPDATE and {"starts_at", "ends_at"} & set(values):
            return "appointment_moved"
        return super()._history_kind(verb, values)
