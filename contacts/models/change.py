from functools import partial

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from contacts.models.business import Business
from contacts.models.location import Location
from contacts.signals import change_recorded


class ActorKind(models.TextChoices):
    PERSON = "person", "Person"
    GHL = "ghl", "GHL"
    RULE = "rule", "Rule"
    ERP = "erp", "ERP"
    SYSTEM = "system", "System"


class ChangeQuerySet(models.QuerySet):
    def visible_to(self, user):
        return self.filter(business__memberships__user=user) if user.is_authenticated else self.none()

    def unsettled(self):
        return self.filter(state__in=Change.UNSETTLED)

    def undecided(self):
        """Settled by GHL but not yet by a person: refused, or GHL kept something else."""
        return self.filter(state__in=Change.UNDECIDED)

    def holding(self):
        """Changes whose fields an incoming sync must leave alone."""
        return self.filter(state__in=[*Change.UNSETTLED, *Change.UNDECIDED])

    def due(self):
        return self.filter(state=Change.State.QUEUED, not_before__lte=timezone.now())


class Change(models.Model):
    """What a person (or a rule) did here, and whether it has arrived in GHL.

    `values` holds the new values by snapshot key, for verb `tags` {"add": […], "remove": […]}; `before` the old ones.
    `custom_values` holds only the fields that changed, by remote id, None for one that was cleared.
    `theirs` holds what GHL kept where it differs, or what somebody there has made of it meanwhile (conflict).
    Confirmed means: read back by id and equal in canonical form. `failure` names what went wrong in one word, so that
    alike ones can be decided together; `exchange` is the last talk with GHL about it.
    """

    class Kind(models.TextChoices):
        CONTACT = "contact", "Contact"
        TASK = "task", "Task"
        NOTE = "note", "Note"
        APPOINTMENT = "appointment", "Appointment"

    class Verb(models.TextChoices):
        CREATE = "create", "Create"
        UPDATE = "update", "Update"
        TAGS = "tags", "Tags"
        DELETE = "delete", "Delete"

    class State(models.TextChoices):
        QUEUED = "queued", "Queued"
        SENDING = "sending", "Sending"
        SENT = "sent", "Sent"
        UNKNOWN = "unknown", "Checking"
        CONFIRMED = "confirmed", "Confirmed"
        DIFFERS = "differs", "Differs"
        CONFLICT = "conflict", "Conflict"
        REFUSED = "refused", "Refused"
        CANCELLED = "cancelled", "Cancelled"

    UNSETTLED = (State.QUEUED, State.SENDING, State.SENT, State.UNKNOWN)
    UNDECIDED = (State.DIFFERS, State.CONFLICT, State.REFUSED)

    business = models.ForeignKey(Business, models.CASCADE, related_name="changes")
    location = models.ForeignKey(Location, models.CASCADE, related_name="changes")
    contact = models.ForeignKey("contacts.Contact", models.CASCADE, related_name="changes")
    task = models.ForeignKey("contacts.Task", models.CASCADE, null=True, blank=True, related_name="changes")
    note = models.ForeignKey("contacts.Note", models.CASCADE, null=True, blank=True, related_name="changes")
    appointment = models.ForeignKey(
        "contacts.Appointment", models.CASCADE, null=True, blank=True, related_name="changes"
    )
    kind = models.CharField(max_length=12, choices=Kind.choices)
    verb = models.CharField(max_length=10, choices=Verb.choices)
    values = models.JSONField(default=dict)
    before = models.JSONField(default=dict, blank=True)
    theirs = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="changes"
    )
    actor_kind = models.CharField(max_length=10, choices=ActorKind.choices, default=ActorKind.PERSON)
    sentence = models.TextField(blank=True)
    technical = models.TextField(blank=True)
    failure = models.CharField(max_length=60, blank=True)
    exchange = models.JSONField(default=dict, blank=True)
    undoes = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="undone_by")
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    decided_because = models.CharField(max_length=300, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    not_before = models.DateTimeField(default=timezone.now)
    settled_at = models.DateTimeField(null=True, blank=True)

    objects = ChangeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="change_names_its_record",
                condition=Q(kind="contact", task=None, note=None, appointment=None)
                | Q(kind="task", task__isnull=False, note=None, appointment=None)
                | Q(kind="note", note__isnull=False, task=None, appointment=None)
                | Q(kind="appointment", appointment__isnull=False, note=None, task=None),
            ),
            models.CheckConstraint(
                name="change_settled_has_time",
                condition=Q(state__in=["queued", "sending", "sent", "unknown"], settled_at=None)
                | Q(state__in=["confirmed", "differs", "conflict", "refused", "cancelled"], settled_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["state", "not_before"], name="change_due"),
            models.Index(fields=["contact", "-id"], name="change_of_contact"),
            models.Index(
                fields=["business", "made_by"],
                condition=Q(state__in=["queued", "sending", "sent", "unknown", "differs", "conflict", "refused"]),
                name="change_open",
            ),
        ]

    def __str__(self):
        return f"{self.verb} {self.kind} #{self.record_id}: {self.state}"

    @property
    def is_settled(self):
        return self.state not in self.UNSETTLED

    @property
    def is_undecided(self):
        return self.state in self.UNDECIDED

    @property
    def record_id(self):
        return getattr(self, f"{self.kind}_id")

    @property
    def record(self):
        return getattr(self, self.kind)

    @property
    def fields(self):
        """The snapshot keys this change holds against an incoming sync."""
        return {"tags"} if self.verb == self.Verb.TAGS else set(self.values)

    def announce(self):
        """Ring once the transaction is in; if nobody hears it, the sweeper finds the row."""
        transaction.on_commit(partial(change_recorded.send, sender=Change, change=self))

    def cancel(self):
        """True when it was still ours to take back: nothing of it has been sent."""
        return self._move([self.State.QUEUED], self.State.CANCELLED)

    def retry(self):
        """Queue a refused or differing change again."""
        with transaction.atomic():
            moved = Change.objects.filter(pk=self.pk, state__in=self.UNDECIDED).update(
                state=self.State.QUEUED, settled_at=None, not_before=timezone.now(), sentence="", technical=""
            )
            if moved:
                self.refresh_from_db()
                self.announce()
        return moved == 1

    def keep_theirs(self):
        """Give up what was typed: the row takes GHL's values again. True for the one caller that decided."""
        with transaction.atomic():
            if not self._move(self.UNDECIDED, self.State.CANCELLED):
                return False
            self.record.restore(self)
        return True

    def _move(self, states, state):
        moved = Change.objects.filter(pk=self.pk, state__in=states).update(state=state, settled_at=timezone.now())
        if moved:
            self.refresh_from_db(fields=["state", "settled_at"])
        return moved == 1
