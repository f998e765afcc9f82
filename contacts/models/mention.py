from django.conf import settings
from django.db import models
from django.utils import timezone

from contacts.models.contact import Contact
from contacts.models.note import Note
from contacts.models.task import Task


class MentionQuerySet(models.QuerySet):
    def visible_to(self, user):
        """One's own, in the businesses one is a member of."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(user=user, contact__business__memberships__user=user)

    def unseen(self):
        """Not looked at yet, in a note or a task that is still there."""
        return self.filter(seen_at=None, note__deleted_at=None, task__deleted_at=None, contact__deleted_at=None)

    def see(self):
        return self.filter(seen_at=None).update(seen_at=timezone.now())


class Mention(models.Model):
    """A note or a task names a member of the Business: they find it on Today until they have seen it."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="mentions")
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="mentions")
    note = models.ForeignKey(Note, models.CASCADE, null=True, related_name="mentions")
    task = models.ForeignKey(Task, models.CASCADE, null=True, related_name="mentions")
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    seen_at = models.DateTimeField(null=True, blank=True)

    objects = MentionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "note"], name="mention_once"),
            models.UniqueConstraint(fields=["user", "task"], name="mention_once_in_task"),
            models.CheckConstraint(
                condition=models.Q(note=None, task__isnull=False) | models.Q(note__isnull=False, task=None),
                name="mention_is_somewhere",
            ),
        ]
        indexes = [models.Index(fields=["user", "-id"], condition=models.Q(seen_at=None), name="mention_unseen")]

    def __str__(self):
        return f"user {self.user_id} in " + (f"task {self.task_id}" if self.task_id else f"note {self.note_id}")
