from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper
from django.utils import timezone

from contacts.models.contact import Contact
from contacts.models.editable import Editable
from contacts.models.location import RemoteUser
from contacts.models.mirrored import MirroredQuerySet


class TaskQuerySet(MirroredQuerySet):
    def open(self):
        return self.present().filter(completed=False, contact__deleted_at=None)

    def overdue(self, now):
        return self.open().filter(due_at__lt=now)


class Task(Editable):
    """Something to do for a contact. GHL wants a title and a due date on every task."""

    KIND = "task"
    VALUES = ("title", "body", "due_at", "completed", "assignee_remote_id")

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="tasks")
    title = models.TextField()
    body = models.TextField(blank=True)
    due_at = models.DateTimeField(null=True, blank=True)
    completed = models.BooleanField(default=False)
    completed_at = models.DateTimeField(null=True, blank=True)
    assignee = models.ForeignKey(RemoteUser, models.SET_NULL, null=True, blank=True, related_name="tasks")
    remote_updated_at = models.DateTimeField(null=True, blank=True)

    objects = TaskQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["location", "remote_id"], condition=Q(remote_id__isnull=False), name="task_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["location", "due_at", "id"],
                condition=Q(completed=False, deleted_at=None),
                name="task_open_by_due",
            ),
            models.Index(
                fields=["assignee", "due_at", "id"],
                condition=Q(completed=False, deleted_at=None),
                name="task_open_of_person",
            ),
            models.Index(
                fields=["location", "created_at", "id"],
                condition=Q(completed=False, deleted_at=None, due_at=None),
                name="task_open_undated",
            ),
            models.Index(
                fields=["contact", "due_at"], condition=Q(completed=False, deleted_at=None), name="task_open_of_contact"
            ),
            models.Index(fields=["location", "updated_at", "id"], name="task_by_move"),
            GinIndex(
                OpClass(F("location"), name="int8_ops"),
                OpClass(Upper("title"), name="gin_trgm_ops"),
                condition=Q(completed=False, deleted_at=None),
                name="task_open_by_title",
            ),
        ]

    def __str__(self):
        return self.title

    def save(self, *args, **options):
        """`completed_at` is ours: GHL does not tell it."""
        if "completed" in (options.get("update_fields") or ()) and self.completed != bool(self.completed_at):
            self.completed_at = timezone.now() if self.completed else None
            options["update_fields"] = {*options["update_fields"], "completed_at"}
        super().save(*args, **options)

    def complete(self, by):
        return self.edit(by, completed=True)

    def reopen(self, by):
        return self.edit(by, completed=False)
