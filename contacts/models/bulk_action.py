from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contacts.models.business import Business, Role
from contacts.models.leased import Leased, LeasedQuerySet


class BulkActionQuerySet(LeasedQuerySet):
    def visible_to(self, user):
        """One's own; and in one's businesses those of everybody, for managers and admins."""
        if not user.is_authenticated:
            return self.none()
        mine = Business.objects.visible_to(user).values("pk")
        decides = Business.objects.filter(
            memberships__user=user, memberships__role__in=[Role.MANAGER, Role.ADMIN]
        ).values("pk")
        own = Q(made_by=user) & (Q(business=None) | Q(business__in=mine))
        return self.filter(own | Q(business__in=decides))

    def of_interest_to(self, user):
        """What the list shows above the contacts: running, or finished and not put away yet."""
        mine = Q(business=None) | Q(business__in=Business.objects.visible_to(user).values("pk"))
        return self.filter(mine, made_by=user, put_away_at=None)


class BulkAction(Leased):
    """One thing done to many contacts: tags, owner, a task; or all of that taken back.

    Which contacts: `picked`, or all that the filter `params` finds up to `until`, the newest contact there was when it
    was asked for. They are taken in the order of their keys; `cursor` is the last one done and is written in the
    transaction that changes the contact, so that a killed worker leaves nothing out and does nothing twice. An action
    that undoes another walks over the Changes of that one instead.

    `total` is 0 where nobody could count so far. `changed`, `unchanged` and `left_alone` count; `reasons` are the
    sentences for the last, with how often each.
    """

    class Kind(models.TextChoices):
        ADD_TAGS = "add_tags", _("Add tags")
        REMOVE_TAGS = "remove_tags", _("Remove tags")
        OWNER = "owner", _("Set owner")
        TASK = "task", _("Add a task")
        UNDO = "undo", _("Undo")

    class Outcome(models.TextChoices):
        COMPLETE = "complete", _("Complete")
        STOPPED = "stopped", _("Stopped")
        FAILED = "failed", _("Failed")

    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="bulk_actions")
    # None: over all the businesses that its maker may see.
    business = models.ForeignKey(Business, models.CASCADE, null=True, blank=True, related_name="bulk_actions")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    values = models.JSONField(default=dict, blank=True)
    params = models.TextField(blank=True)
    picked = ArrayField(models.BigIntegerField(), null=True, blank=True)
    until = models.BigIntegerField(default=0)
    cursor = models.BigIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    left_alone = models.PositiveIntegerField(default=0)
    reasons = models.JSONField(default=dict, blank=True)
    undoes = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="undone_by")
    submission = models.UUIDField(null=True, blank=True)  # of the form it came with, so that a form counts once
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True)
    stop_asked_at = models.DateTimeField(null=True, blank=True)
    put_away_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = BulkActionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["made_by", "submission"], name="bulk_action_once_per_form"),
            models.UniqueConstraint(
                fields=["undoes"], condition=~Q(outcome__in=["stopped", "failed"]), name="bulk_action_undone_once"
            ),
        ]
        indexes = [
            models.Index(fields=["next_at"], condition=Q(finished_at=None), name="bulk_action_due"),
            models.Index(fields=["made_by"], condition=Q(put_away_at=None), name="bulk_action_shown"),
        ]

    def __str__(self):
        return f"{self.kind} of {self.total} contacts by user {self.made_by_id}"

    @property
    def done(self):
        return self.changed + self.unchanged + self.left_alone

    @property
    def is_running(self):
        return self.finished_at is None

    def stop(self):
        """Ask it to end after the contact it is at."""
        running = BulkAction.objects.filter(pk=self.pk, finished_at=None, stop_asked_at=None)
        return running.update(stop_asked_at=timezone.now(), next_at=timezone.now()) == 1

    def count(self, outcome, cursor, reason=""):
        """One more is done. Written only while the claim holds; False when somebody else has taken over."""
        values = {outcome: F(outcome) + 1, "cursor": cursor}
        if reason:
            self.reasons = {**self.reasons, reason: self.reasons.get(reason, 0) + 1}
            values["reasons"] = self.reasons
        return self.mine().update(**values) == 1
