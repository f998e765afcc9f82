from django.db import models
from django.db.models import Q

from contacts.models.contact import Contact
from contacts.models.editable import Editable
from contacts.models.location import RemoteUser


class Note(Editable):
    """What someone wrote about a contact. `body` is kept raw, as GHL has it: hostile until sanitised on render."""

    KIND = "note"
    VALUES = ("title", "body", "color", "pinned", "author_remote_id")

    contact = models.ForeignKey(Contact, models.CASCADE, related_name="notes")
    title = models.TextField(blank=True)
    body = models.TextField(blank=True)
    color = models.CharField(max_length=40, blank=True)
    pinned = models.BooleanField(default=False)
    author = models.ForeignKey(RemoteUser, models.SET_NULL, null=True, blank=True, related_name="notes")
    remote_added_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["location", "remote_id"], condition=Q(remote_id__isnull=False), name="note_once"
            )
        ]
        indexes = [
            models.Index(fields=["contact", "-created_at"], name="note_of_contact"),
            models.Index(fields=["location", "updated_at", "id"], name="note_by_move"),
        ]

    def __str__(self):
        return f"note {self.pk}"
