from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contacts.models.contact import Contact
from contacts.models.note import Note

LONGEST = 100_000  # letters of one text: longer than anything that can be sent, so that nothing typed is lost


class DraftQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Nobody but who wrote it, and only as long as they may see the contact."""
        if not user.is_authenticated:
            return self.none()
        return self.filter(user=user, contact__business__memberships__user=user)


class Draft(models.Model):
    """What somebody has typed about a contact and not sent. It never leaves Rankr, and nobody else ever sees it.

    `texts` holds the form's values by name. With `note` it is an edit of that note, begun when its text was `base`.
    """

    class Kind(models.TextChoices):
        NOTE = "note", _("Note")
        TASK = "task", _("Task")
        CALL = "call", _("Call log")

    # What is kept of each form, and which of it says that something was typed at all.
    NAMES = {"note": ("body",), "task": ("title", "body", "due", "assignee"), "call": ("body", "outcome", "minutes")}
    TYPED = {"note": ("body",), "task": ("title", "body"), "call": ("body", "minutes")}

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="drafts")
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="drafts")
    note = models.ForeignKey(Note, models.CASCADE, null=True, blank=True, related_name="drafts")
    kind = models.CharField(max_length=4, choices=Kind.choices)
    texts = models.JSONField(default=dict)
    base = models.CharField(max_length=64, blank=True)
    saved_at = models.DateTimeField(default=timezone.now)

    objects = DraftQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "contact", "kind"], condition=Q(note=None), name="draft_once"),
            models.UniqueConstraint(
                fields=["user", "note"], condition=Q(note__isnull=False), name="draft_once_per_note"
            ),
        ]

    def __str__(self):
        return f"draft of a {self.kind} by user {self.user_id}"

    @property
    def body(self):
        return self.texts.get("body", "")
