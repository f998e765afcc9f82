from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from contacts.models.contact import Contact
from contacts.models.task import Task

STALE = timedelta(hours=24)  # by then it is simply overdue, and Today says so
KEPT = timedelta(days=7)  # what somebody was told stands nowhere else
SNOOZE = timedelta(minutes=10)


class ReminderQuerySet(models.QuerySet):
    def of(self, user):
        """This user's own, about tasks they still may see."""
        if not user.is_authenticated:
            return self.none()
        theirs = Q(task__location__business__memberships__user=user) | Q(contact__business__memberships__user=user)
        return self.filter(Q(task=None, contact=None) | theirs, user=user)

    def ringing(self, now):
        """To be told now: what it is about is still open, still theirs, and still due at that time."""
        open_task = Q(
            task__completed=False, task__deleted_at=None, task__contact__deleted_at=None,
            task__due_at=F("at"), task__assignee__user=F("user"),
        )  # fmt: skip
        return self.filter(
            Q(task=None) | open_task,
            Q(snoozed_until=None, at__gt=now - STALE)
            | Q(snoozed_until__lte=now, snoozed_until__gt=now - STALE)
            | (Q(snoozed_until=None) | Q(snoozed_until__lte=now)) & ~Q(text="") & Q(at__gt=now - KEPT),
            at__lte=now,
            closed_at=None,
        )


class Reminder(models.Model):
    """That one user is to hear of one task at its time; without a task, the line of a morning. One row, told once.

    With a `text` it is something a rule had to tell, about a contact or else about what `link` leads to.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="reminders")
    task = models.ForeignKey(Task, models.CASCADE, null=True, blank=True, related_name="reminders")
    contact = models.ForeignKey(Contact, models.CASCADE, null=True, blank=True, related_name="reminders")
    text = models.CharField(max_length=300, blank=True)
    link = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()
    told_at = models.DateTimeField(null=True, blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True)
    snoozed_until = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    objects = ReminderQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "task", "at"], name="reminder_once"),
            models.UniqueConstraint(fields=["user", "at"], condition=Q(task=None, text=""), name="morning_once"),
        ]
        indexes = [models.Index(fields=["at"], name="reminder_by_time")]
        ordering = ["at", "pk"]

    def __str__(self):
        return f"reminder of user {self.user_id} at {self.at:%Y-%m-%d %H:%M}"

    def snooze(self, now):
        """Told again in ten minutes."""
        self.told_at, self.snoozed_until = None, now + SNOOZE
        self.save(update_fields=["told_at", "snoozed_until"])

    def close(self, now):
        self.closed_at = now
        self.save(update_fields=["closed_at"])
