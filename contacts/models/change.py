from functools import partial

from django.conf import settings
from django.db import models, transaction
from django.db.models import Case, Q, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contacts.models.business import Business
from contacts.models.location import Location
from contacts.open_pages import live
from contacts.signals import change_recorded


class ActorKind(models.TextChoices):
    PERSON = "person", _("Person")
    GHL = "ghl", "GHL"
    RULE = "rule", _("Rule")
    ERP = "erp", "ERP"
    SYSTEM = "system", _("System")


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
        """What a worker can do something about now: queued and its time has come, or under way already."""
        queued = Q(state=Change.State.QUEUED, not_before__lte=timezone.now())
        return self.filter(queued | Q(state__in=Change.UNDER_WAY))

    def retry_all(self, at):
        """Send them all again, as `retry` does each; the sweeper finds them. How many they were."""
        looked_for = Q(verb=Change.Verb.CREATE, attempts__gt=0) & ~Q(failure=TWO_ALIKE)
        state = Case(When(looked_for, then=Value(Change.State.UNKNOWN)), default=Value(Change.State.QUEUED))
        fresh = {"settled_at": None, "sentence": "", "technical": "", "failure": "", "exchange": {}}
        live.tell_of(self.undecided().only("business_id", "contact_id")[: live.MOST + 1])
        return self.undecided().update(state=state, not_before=at, **fresh)

    def like(self, change):
        """Undecided ones that failed in the same way at the same kind of thing, so that one decision fits all."""
        alike = {name: getattr(change, name) for name in ("location_id", "kind", "verb", "failure", "state")}
        return self.undecided().filter(**alike)


class Change(models.Model):
    """What a person (or a rule) did here, and whether it has arrived in GHL.

    `values` holds the new values by snapshot key, for verb `tags` {"add": […], "remove": […]}; `before` the old ones.
    `custom_values` holds only the fields that changed, by remote id, None for one that was cleared.
    `theirs` holds what GHL kept where it differs, or what somebody there has made of it meanwhile (conflict).
    Confirmed means: read back by id and equal in canonical form. `failure` names what went wrong in one word, so that
    alike ones can be decided together; `exchange` is the last talk with GHL about it.
    """

    class Kind(models.TextChoices):
        CONTACT = "contact", _("Contact")
        TASK = "task", _("Task")
        NOTE = "note", _("Note")
        APPOINTMENT = "appointment", _("Appointment")

    class Verb(models.TextChoices):
        CREATE = "create", _("Create")
        UPDATE = "update", _("Update")
        TAGS = "tags", _("Tags")
        DELETE = "delete", _("Delete")

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        SENDING = "sending", _("Sending")
        SENT = "sent", _("Sent")
        UNKNOWN = "unknown", _("Checking")
        CONFIRMED = "confirmed", _("Confirmed")
        DIFFERS = "differs", _("Differs")
        CONFLICT = "conflict", _("Conflict")
        REFUSED = "refused", _("Refused")
        CANCELLED = "cancelled", _("Cancelled")

    UNDER_WAY = (State.SENDING, State.SENT, State.UNKNOWN)
    UNSETTLED = (State.QUEUED, *UNDER_WAY)
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
    bulk = models.ForeignKey("contacts.BulkAction", models.SET_NULL, null=True, blank=True, related_name="changes")
    submission = models.UUIDField(null=True, blank=True)  # of the form it came with, so that a form counts once
    attempts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    not_before = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)  # when it last left for GHL
    settled_at = models.DateTimeField(null=True, blank=True)

    objects = ChangeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["made_by", "submission"], name="change_once_per_form"),
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
        """Queue an undecided change again. A creation that may have arrived after all is looked for first."""
        maybe_there = self.verb == self.Verb.CREATE and self.attempts > 0 and self.failure != TWO_ALIKE
        with transaction.atomic():
            if not self._again(self.State.UNKNOWN if maybe_there else self.State.QUEUED):
                return False
            if self.kind != self.Kind.CONTACT and self.contact.remote_id is None:
                for creation in self.contact.changes.undecided().filter(kind=self.Kind.CONTACT, verb=self.Verb.CREATE):
                    creation.retry()  # it cannot arrive before the person it belongs to
        return True

    def keep_mine(self):
        """Send it although GHL has something else by now: whoever says so has seen what that is."""
        with transaction.atomic():
            return self._again(self.State.QUEUED, before=_laid_over(self.before, self.theirs), theirs={})

    def keep_original(self, by=None):
        """Send what stood there before both edits."""
        with transaction.atomic():
            original = {key: self.before.get(key) for key in self.values}
            before = _laid_over(self.before, self.theirs)
            if self.verb != self.Verb.UPDATE or not self._again(
                self.State.QUEUED, [self.State.CONFLICT], values=original, before=before, theirs={}
            ):
                return False
            self.record.go_back(original, by, self)
        return True

    def keep_theirs(self, by=None, because=""):
        """Give up what was typed: the row takes GHL's values again. True for the one caller that decided."""
        with transaction.atomic():
            if not self._move(self.UNDECIDED, self.State.CANCELLED, decided_by=by, decided_because=because[:300]):
                return False
            self.record.restore(self, by)
        return True

    def make_anew(self, by):
        """GHL no longer has the record: make it there again with what stands here."""
        with transaction.atomic():
            if not self.is_about_something_gone or not self._move(self.UNDECIDED, self.State.CANCELLED, decided_by=by):
                return None
            return self.record.make_anew(by, undoes=None)

    @property
    def is_about_something_gone(self):
        return self.failure == GONE and self.verb != self.Verb.CREATE

    def give_way(self, by):
        """A newer edit says more than this undecided one."""
        return self._move(self.UNDECIDED, self.State.CANCELLED, decided_by=by, decided_because=NEWER)

    def undo(self, by):
        """Take it back, wherever it has got to. The change that does so, or None when deciding was enough.

        Raises NotUndoable when somebody has gone on from it: undoing would undo their work too.
        """
        if self.is_undecided:
            self.keep_theirs(by)
            return None
        with transaction.atomic():
            return self.record.undo(self, by)

    def _again(self, state, states=None, **values):
        moved = Change.objects.filter(pk=self.pk, state__in=states or self.UNDECIDED).update(
            state=state, settled_at=None, not_before=timezone.now(), sentence="", technical="", failure="", exchange={},
            **values,
        )  # fmt: skip
        if moved:
            self.refresh_from_db()
            self.announce()
            live.tell_of([self])
        return moved == 1

    def _move(self, states, state, **values):
        values |= {"state": state, "settled_at": timezone.now()}
        moved = Change.objects.filter(pk=self.pk, state__in=states).update(**values)
        if moved:
            self.refresh_from_db(fields=list(values))
            live.tell_of([self])
        return moved == 1


GONE = "NotFound"  # the failure of an edit whose record was deleted on the other side
TWO_ALIKE = "two alike"  # the failure of a creation that GHL may have made: two there look like it
NEWER = "A newer edit took its place."


def _laid_over(values, newer):
    merged = {**values, **newer}
    if "custom_values" in values and "custom_values" in newer:
        merged["custom_values"] = {**(values["custom_values"] or {}), **(newer["custom_values"] or {})}
    return merged
