from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contacts.models.change import ActorKind, Change
from contacts.models.location import Location, OfLocationQuerySet


class HistoryEvent(models.Model):
    """One line of a contact's history: who or what, caused by what, old → new. Never edited afterwards.

    `changes` is {snapshot key: [old, new]}. `happened_at` is when it happened where it happened; `created_at` when we
    learned of it. `reason` is what a person gave as theirs. What happened outside our own records (an ERP event, a run
    of a rule) says it in `title` ("Invoice 8841 paid") and `detail` ("$12,400.00"), with a `link` to where it stands.
    `cause` is the event that led to this one, of the same contact.
    """

    class Kind(models.TextChoices):
        CONTACT_ADDED = "contact_added", _("Contact added")
        CONTACT_CHANGED = "contact_changed", _("Fields changed")
        CONTACT_DELETED = "contact_deleted", _("Contact deleted")
        CONTACT_RESTORED = "contact_restored", _("Contact restored")
        TAGS_CHANGED = "tags_changed", _("Tags changed")
        NOTE_ADDED = "note_added", _("Note added")
        NOTE_CHANGED = "note_changed", _("Note changed")
        NOTE_DELETED = "note_deleted", _("Note deleted")
        NOTE_RESTORED = "note_restored", _("Note restored")
        TASK_ADDED = "task_added", _("Task added")
        TASK_CHANGED = "task_changed", _("Task changed")
        TASK_DONE = "task_done", _("Task done")
        TASK_REOPENED = "task_reopened", _("Task reopened")
        TASK_DELETED = "task_deleted", _("Task deleted")
        TASK_RESTORED = "task_restored", _("Task restored")
        APPOINTMENT_BOOKED = "appointment_booked", _("Appointment booked")
        APPOINTMENT_MOVED = "appointment_moved", _("Appointment moved")
        APPOINTMENT_CHANGED = "appointment_changed", _("Appointment changed")
        APPOINTMENT_DELETED = "appointment_deleted", _("Appointment deleted")
        APPOINTMENT_RESTORED = "appointment_restored", _("Appointment restored")
        ERP_EVENT = "erp_event", _("ERP event")
        RULE_RUN = "rule_run", _("Rule run")

    # No index for these two alone: of those below, each is the first column of one.
    location = models.ForeignKey(Location, models.CASCADE, related_name="history", db_index=False)
    contact = models.ForeignKey("contacts.Contact", models.CASCADE, related_name="history", db_index=False)
    task = models.ForeignKey("contacts.Task", models.CASCADE, null=True, blank=True, related_name="history")
    note = models.ForeignKey("contacts.Note", models.CASCADE, null=True, blank=True, related_name="history")
    appointment = models.ForeignKey(
        "contacts.Appointment", models.CASCADE, null=True, blank=True, related_name="history"
    )
    kind = models.CharField(max_length=24, choices=Kind.choices)
    changes = models.JSONField(default=dict, blank=True)
    actor_kind = models.CharField(max_length=10, choices=ActorKind.choices)
    # Asked for only within a location.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    actor_name = models.CharField(max_length=200, blank=True)
    change = models.ForeignKey(Change, models.SET_NULL, null=True, blank=True, related_name="history")
    cause = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="effects")
    reason = models.CharField(max_length=300, blank=True)
    title = models.CharField(max_length=300, blank=True)
    detail = models.CharField(max_length=300, blank=True)
    link = models.CharField(max_length=1000, blank=True)
    happened_at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now)

    objects = OfLocationQuerySet.as_manager()

    class Meta:
        # The history over all contacts is read newest first, whole or of one kind or of one who did it. What is
        # included lets reports count without reading the rows.
        indexes = [
            models.Index(
                fields=["contact", "-happened_at", "-id"],
                include=["kind", "actor_kind", "actor_name"],
                name="history_of_contact",
            ),
            models.Index(fields=["location", "-happened_at", "-id"], name="history_by_time"),
            models.Index(
                fields=["location", "kind", "-happened_at", "-id"],
                include=["user", "actor_kind", "actor_name"],
                name="history_by_kind",
            ),
            models.Index(
                fields=["location", "user", "-happened_at", "-id"],
                include=["kind"],
                condition=models.Q(user__isnull=False),
                name="history_by_user",
            ),
            models.Index(
                fields=["location", "actor_name", "-happened_at", "-id"],
                include=["kind"],
                condition=models.Q(actor_kind=ActorKind.GHL),
                name="history_by_ghl_user",
            ),
            models.Index(
                fields=["location", "actor_kind", "-happened_at", "-id"],
                include=["kind"],
                condition=models.Q(user=None) & ~models.Q(actor_kind=ActorKind.GHL),
                name="history_by_machine",
            ),
        ]

    def __str__(self):
        return f"{self.kind} of contact {self.contact_id} at {self.happened_at:%Y-%m-%d %H:%M}"

    @property
    def group(self):
        """contact, tags, note, task, appointment, erp or rule: what the history can be filtered by."""
        return self.kind.split("_")[0]
