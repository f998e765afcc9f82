from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.models import Business, Contact, HistoryEvent, Role
from contacts.models.leased import Leased, LeasedQuerySet
from integrations.models.rule import DECIDERS, Rule, RuleVersion


class RuleRunQuerySet(LeasedQuerySet):
    def administered_by(self, user):
        return self.filter(business__memberships__user=user, business__memberships__role=Role.ADMIN)

    def read_by(self, user):
        """Those of businesses this user is manager or admin of."""
        return self.filter(business__memberships__user=user, business__memberships__role__in=DECIDERS)

    def due(self):
        """Without a join: the claim must see the row as it is when its turn comes."""
        return super().due().filter(state=RuleRun.State.QUEUED)

    def queued(self):
        return self.filter(state=RuleRun.State.QUEUED, finished_at=None)

    def staged(self):
        return self.filter(state=RuleRun.State.STAGED)

    def failed(self):
        return self.filter(state=RuleRun.State.FAILED)


class RuleRun(Leased):
    """One time that a rule's trigger was met, and what came of it.

    `cause` names what met it ("line 123", "erp 55", "webhook 9", "button <uuid>"): met by the same thing twice, it is
    one run. `trigger_line` is the line of the contact's history that did, `line` the run's own there, which its effects
    name as their cause. `scope` is what was seen: event, old, new, contact, task … `steps` are what was done, in the
    order of the version's actions, each a dict with: do, says (the action in words), values (as filled in), state
    (done, waiting or failed), sentence, at, and the primary keys of what came of it: change, operation.
    """

    class State(models.TextChoices):
        STAGED = "staged", gettext_lazy("Waits for approval")
        QUEUED = "queued", gettext_lazy("Queued")
        DONE = "done", gettext_lazy("Done")
        FAILED = "failed", gettext_lazy("Failed")
        SKIPPED = "skipped", gettext_lazy("Skipped")
        STOPPED = "stopped", gettext_lazy("Stopped")

    # No index for these three alone: of those below, each is the first column of one.
    rule = models.ForeignKey(Rule, models.CASCADE, related_name="runs", db_index=False)
    version = models.ForeignKey(RuleVersion, models.CASCADE, related_name="runs")
    business = models.ForeignKey(Business, models.CASCADE, related_name="rule_runs", db_index=False)
    contact = models.ForeignKey(
        Contact, models.CASCADE, null=True, blank=True, related_name="rule_runs", db_index=False
    )
    cause = models.CharField(max_length=120)
    trigger_line = models.ForeignKey(HistoryEvent, models.SET_NULL, null=True, blank=True, related_name="+")
    line = models.ForeignKey(HistoryEvent, models.SET_NULL, null=True, blank=True, related_name="+")
    scope = models.JSONField(default=dict, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.QUEUED)
    sentence = models.TextField(blank=True)
    steps = models.JSONField(default=list, blank=True)
    made_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    approved_at = models.DateTimeField(null=True, blank=True)

    objects = RuleRunQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rule", "cause"], name="rule_run_once_per_cause")]
        indexes = [
            models.Index(fields=["next_at"], condition=Q(state="queued", finished_at=None), name="rule_run_due"),
            models.Index(fields=["business", "-id"], name="rule_run_log"),
            models.Index(fields=["business", "state", "-id"], name="rule_run_by_state"),
            models.Index(fields=["rule", "-id"], name="rule_run_of_rule"),
            models.Index(fields=["rule", "state", "-id"], name="rule_run_of_rule_by_state"),
            models.Index(fields=["rule", "started_at"], name="rule_run_begun"),
            models.Index(fields=["contact", "-id"], name="rule_run_of_contact"),
            models.Index(fields=["finished_at"], name="rule_run_age"),
        ]

    def __str__(self):
        return f"run {self.pk} of rule {self.rule_id}: {self.state}"

    @property
    def is_finished(self):
        return self.finished_at is not None

    @property
    def may_go_again(self):
        return self.state in (self.State.FAILED, self.State.STOPPED)

    def end(self, state, sentence="", **values):
        """The last word of this claim, or LeaseLost."""
        self.hand_in(state=state, sentence=sentence, finished_at=timezone.now(), **values)

    def approve(self):
        """A staged run goes on. True for the one call that did."""
        now = timezone.now()
        moved = RuleRun.objects.staged().filter(pk=self.pk)
        return moved.update(state=self.State.QUEUED, sentence="", approved_at=now, next_at=now) == 1

    def decline(self, by):
        """A staged run is not wanted. True for the one call that said so."""
        words = _("%(who)s declined it.") % {"who": by}
        moved = RuleRun.objects.staged().filter(pk=self.pk)
        return moved.update(state=self.State.SKIPPED, sentence=words, finished_at=timezone.now()) == 1

    def replay(self):
        """A run that failed or was stopped goes on at the step where it did. True for the one call that did."""
        again = (self.State.FAILED, self.State.STOPPED)
        fresh = {"finished_at": None, "attempts": 0, "strikes": 0, "fence": F("fence") + 1, "lease_until": None}
        now = timezone.now()
        moved = RuleRun.objects.filter(pk=self.pk, state__in=again)
        return moved.update(state=self.State.QUEUED, sentence="", approved_at=now, next_at=now, **fresh) == 1
