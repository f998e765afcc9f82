from typing import Any

from django.conf import settings
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.models import Business, Role
from integrations.models.not_ready import NotReady

MOST_AN_HOUR = 200
STAGED = 5  # so many runs of a new rule wait for somebody's approval
DECIDERS = (Role.MANAGER, Role.ADMIN)


class RuleQuerySet(models.QuerySet):
    def administered_by(self, user):
        return self.filter(business__memberships__user=user, business__memberships__role=Role.ADMIN)

    def read_by(self, user):
        """Those of businesses this user is manager or admin of."""
        return self.filter(business__memberships__user=user, business__memberships__role__in=DECIDERS)

    def present(self):
        return self.filter(deleted_at=None)

    def working(self):
        """Those that take up what happens."""
        return self.present().filter(state=Rule.State.ON)

    def make(self, business, name, spec, by=None, recipe=""):
        """A draft with its first version."""
        with transaction.atomic():
            rule: Any = self.create(business=business, name=name, made_by=by, recipe=recipe)
            rule.write(spec, by)
        return rule


class Rule(models.Model):
    """When something happens, and if that and that is so, do this: what an admin has set up to go by itself.

    `current` is the version one looks at and edits, `live` the one that runs: they differ while a rule that is on is
    being changed. Only what happens after `on_since` is taken up. The first `staged_left` runs wait for approval, and
    no more than `most_an_hour` are begun within an hour: the rest waits.
    """

    class State(models.TextChoices):
        DRAFT = "draft", gettext_lazy("Draft")
        ON = "on", gettext_lazy("On")
        PAUSED = "paused", gettext_lazy("Paused")

    business = models.ForeignKey(Business, models.CASCADE, related_name="rules")
    name = models.CharField(max_length=120)
    state = models.CharField(max_length=8, choices=State.choices, default=State.DRAFT)
    paused_because = models.CharField(max_length=300, blank=True)
    current = models.ForeignKey("integrations.RuleVersion", models.SET_NULL, null=True, blank=True, related_name="+")
    live = models.ForeignKey("integrations.RuleVersion", models.SET_NULL, null=True, blank=True, related_name="+")
    on_since = models.DateTimeField(null=True, blank=True)
    most_an_hour = models.PositiveIntegerField(default=MOST_AN_HOUR)
    staged_left = models.PositiveIntegerField(default=STAGED)
    clock = models.JSONField(default=dict, blank=True)  # how far it has looked, if it goes by the clock
    recipe = models.SlugField(max_length=60, blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True, blank=True)

    objects = RuleQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        indexes = [models.Index(fields=["state"], condition=Q(deleted_at=None), name="rule_by_state")]

    def __str__(self):
        return self.name

    @property
    def is_on(self):
        return self.state == self.State.ON

    @property
    def is_changed(self):
        """Another version than the one that runs is being written."""
        return self.live_id is not None and self.live_id != self.current_id

    def write(self, spec, by=None):
        """The version that now says `spec`. One that was never tried is written over; any other stays as it was."""
        with transaction.atomic():
            held = Rule.objects.select_for_update(no_key=True, of=["self"]).select_related("current").get(pk=self.pk)
            version = held.current
            if version and version.spec == spec:
                pass
            elif version and version.is_untouched and version.pk != held.live_id:
                version.spec, version.made_by, version.made_at = spec, by, timezone.now()
                version.save(update_fields=["spec", "made_by", "made_at"])
            else:
                version = held._new_version(spec, by)
            self.current = version
        return version

    def go_back(self, number, by=None):
        """A new version that says what version `number` said, and was tried as much as that."""
        with transaction.atomic():
            held = Rule.objects.select_for_update(no_key=True).get(pk=self.pk)
            old = held.versions.get(number=number)
            self.current = held._new_version(old.spec, by, backtested_at=old.backtested_at)
        return self.current

    def _new_version(self, spec, by, **more):
        last = self.versions.aggregate(last=models.Max("number"))["last"] or 0
        version = self.versions.create(number=last + 1, spec=spec, made_by=by, **more)
        Rule.objects.filter(pk=self.pk).update(current=version)
        return version

    def switch_on(self):
        """From now on the current version runs. NotReady unless exactly this one was tried out."""
        with transaction.atomic():
            held = Rule.objects.select_for_update(no_key=True, of=["self"]).select_related("current").get(pk=self.pk)
            if held.current is None or held.current.backtested_at is None:
                raise NotReady(_("Try this version on what has really happened before you switch it on."))
            held.state, held.live, held.paused_because = self.State.ON, held.current, ""
            held.on_since = timezone.now()
            held.save(update_fields=["state", "live", "paused_because", "on_since"])
            held.runs.queued().update(next_at=timezone.now())
        self.refresh_from_db()

    def pause(self, because=""):
        """True for the one call that did. What is queued waits until it is switched on again."""
        values = {"state": self.State.PAUSED, "paused_because": because[:300]}
        paused = Rule.objects.filter(pk=self.pk, state=self.State.ON).update(**values) == 1
        if paused:
            self.state, self.paused_because = values["state"], values["paused_because"]
        return paused

    def delete_here(self):
        """Out of sight, with its runs kept; what waits is not done any more."""
        now = timezone.now()
        with transaction.atomic():
            Rule.objects.filter(pk=self.pk).update(state=self.State.PAUSED, deleted_at=now)
            over = {"state": "skipped", "finished_at": now, "fence": F("fence") + 1}
            self.runs.filter(finished_at=None).update(**over, sentence=_("The rule was deleted."))


class RuleVersion(models.Model):
    """What a rule says, in one of its versions. `spec` is described in automations/shape.py.

    `backtested_at` is when exactly this was tried on what has really happened; only the trying itself writes it.
    """

    rule = models.ForeignKey(Rule, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    spec = models.JSONField(default=dict)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    backtested_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["rule", "number"], name="rule_version_once")]

    def __str__(self):
        return f"version {self.number} of rule {self.rule_id}"

    @property
    def is_untouched(self):
        """Nobody has tried it or run it yet."""
        return self.backtested_at is None and not self.runs.exists()

    def tried(self):
        """Remember that what this version would do was shown to somebody. Not if it was rewritten meanwhile."""
        now = timezone.now()
        same = RuleVersion.objects.filter(pk=self.pk, spec=self.spec)
        if same.update(backtested_at=now):
            self.backtested_at = now


class Automations(models.Model):
    """The one switch that holds all rules of a business. What happens meanwhile is taken up, and waits."""

    business = models.OneToOneField(Business, models.CASCADE, primary_key=True, related_name="automations")
    paused_at = models.DateTimeField(null=True, blank=True)
    paused_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    paused_because = models.CharField(max_length=300, blank=True)

    def __str__(self):
        return f"automations of business {self.business_id}"

    @classmethod
    def of(cls, business):
        return cls.objects.filter(business=business).select_related("paused_by").first() or cls(business=business)

    @classmethod
    def pause(cls, business, by=None, because=""):
        values = {"paused_at": timezone.now(), "paused_by": by, "paused_because": because[:300]}
        return cls.objects.update_or_create(business=business, defaults=values)[0]

    @classmethod
    def resume(cls, business):
        """All goes on, what has waited first."""
        cls.objects.filter(business=business).update(paused_at=None, paused_by=None, paused_because="")
        business.rule_runs.queued().update(next_at=timezone.now())

    @property
    def is_paused(self):
        return self.paused_at is not None
