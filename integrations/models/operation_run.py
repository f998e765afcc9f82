from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contacts.models import Change, HistoryEvent, Role
from contacts.models.leased import Leased, LeasedQuerySet
from integrations.models.connection import Connection


class OperationRunQuerySet(LeasedQuerySet):
    def visible_to(self, user):
        return (
            self.filter(connection__location__business__memberships__user=user)
            if user.is_authenticated
            else self.none()
        )

    def administered_by(self, user):
        of_business = "connection__location__business__memberships"
        return self.filter(**{f"{of_business}__user": user, f"{of_business}__role": Role.ADMIN})


class OperationRun(Leased):
    """One operation of GHL's catalogue to be carried out, once.

    `sent_at` is committed before the request leaves, so that after a crash it is known that GHL may have it. `cause`
    names what asked for it ("rule run 17, step 2"): asked for twice, it is one run. `line` is the line of history of
    the rule that asked. What our own outbox can do is given to it, and `change` is then what became of it there.
    `answer` is cut short; `exchange` is the last talk with GHL.
    """

    class State(models.TextChoices):
        QUEUED = "queued", _("Queued")
        SENT = "sent", _("Sent")
        DONE = "done", _("Done")
        REFUSED = "refused", _("Refused")
        UNKNOWN = "unknown", _("Not known")

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="operation_runs")
    key = models.CharField(max_length=100)
    values = models.JSONField(default=dict)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    cause = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.QUEUED)
    sent_at = models.DateTimeField(null=True, blank=True)
    line = models.ForeignKey(HistoryEvent, models.SET_NULL, null=True, blank=True, related_name="+")
    change = models.ForeignKey(Change, models.SET_NULL, null=True, blank=True, related_name="+")
    answer = models.JSONField(default=dict, blank=True)
    sentence = models.TextField(blank=True)
    exchange = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = OperationRunQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["cause"], condition=~Q(cause=""), name="operation_run_once_per_cause")
        ]
        indexes = [models.Index(fields=["next_at"], condition=Q(finished_at=None), name="operation_run_due")]

    def __str__(self):
        return f"{self.key}: {self.state}"

    @property
    def is_finished(self):
        return self.finished_at is not None
