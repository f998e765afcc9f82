from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Func, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contacts.models import Contact
from contacts.models.leased import Leased, LeasedQuerySet
from integrations.models.connection import Connection


class SyncRunQuerySet(LeasedQuerySet):
    def visible_to(self, user):
        return self.filter(connection__location__business__memberships__user=user)

    def unfinished(self):
        return self.filter(finished_at=None)


class SyncRun(Leased):
    """One pull from GHL. `cursor` says where to go on after a kill, and is saved together with each page's rows.

    `found` is what reconciliation had to put right, per kind of record: {"contacts": {"missing": 1, "stale": 2,
    "extra": 0, "unannounced": 1}}. Missing: GHL had it and we did not; stale: we had another version; extra: we had
    what GHL no longer has; unannounced: of these, no webhook had told us; refused: so many were missing from the list
    that none was removed. `waiting` are those whose webhook may still come: the next run judges them.

    `mark` is the moment, by GHL's clock, up to which this run has seen every change when it is complete.
    """

    class Kind(models.TextChoices):
        FULL = "full", _("Full")
        RECENT = "recent", _("Recent changes")
        NIGHTLY = "nightly", _("Nightly check")
        CONTACT = "contact", _("One contact")

    class Phase(models.TextChoices):
        REFERENCE = "reference", _("Settings")
        CONTACTS = "contacts", _("Contacts")
        TASKS = "tasks", _("Tasks")
        APPOINTMENTS = "appointments", _("Appointments")
        NOTES = "notes", _("Notes")
        DONE = "done", _("Done")

    class Outcome(models.TextChoices):
        COMPLETE = "complete", _("Complete")
        FAILED = "failed", _("Failed")

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="sync_runs")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    contact = models.ForeignKey(Contact, models.CASCADE, null=True, blank=True, related_name="+")
    phase = models.CharField(max_length=14, choices=Phase.choices, default=Phase.REFERENCE)
    cursor = models.JSONField(default=dict, blank=True)
    counts = models.JSONField(default=dict, blank=True)
    found = models.JSONField(default=dict, blank=True)
    requests = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField(default=timezone.now)
    mark = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True)
    stop_reason = models.TextField(blank=True)

    objects = SyncRunQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["connection"],
                condition=Q(finished_at=None) & ~Q(kind="contact"),
                name="sync_one_at_a_time",
            ),
            models.UniqueConstraint(
                fields=["contact"], condition=Q(finished_at=None, kind="contact"), name="sync_one_per_contact"
            ),
        ]
        indexes = [models.Index(fields=["connection", "-started_at"], name="sync_run_latest")]

    def __str__(self):
        return f"{self.kind} sync of connection {self.connection_id}: {self.phase}"

    @property
    def is_ready(self):
        """It can go on at once: it only made room for others."""
        return self.finished_at is None and self.lease_until is None and self.next_at <= timezone.now()

    @property
    def is_whole(self):
        """It sees every record of the location, so what it does not see may be gone."""
        return self.kind in (self.Kind.FULL, self.Kind.NIGHTLY)

    @property
    def done(self):
        return self.counts.get(self.phase, {}).get("done", 0)

    @property
    def total(self):
        return self.counts.get(self.phase, {}).get("total", 0)


class SyncPage(models.Model):
    """The ids one page of a list held. Kept until the list is read to its end, so that what it lacks can be told even
    when several workers, one after another, have read it."""

    run = models.ForeignKey(SyncRun, models.CASCADE, related_name="pages")
    phase = models.CharField(max_length=14, choices=SyncRun.Phase.choices)
    remote_ids = ArrayField(models.CharField(max_length=64))

    def __str__(self):
        return f"page of {len(self.remote_ids)} {self.phase} of run {self.run_id}"

    @classmethod
    def ids(cls, run, phase):
        """Every id seen in this phase of the run, one a row."""
        each = Func("remote_ids", function="unnest", output_field=models.CharField())
        return cls.objects.filter(run=run, phase=phase).annotate(one=each).values_list("one")
