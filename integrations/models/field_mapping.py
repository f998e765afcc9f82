import hashlib
import json
from contextlib import contextmanager

from django.conf import settings
from django.db import models, transaction
from django.db.models import Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.models import Business
from integrations.models.not_ready import NotReady


class ChangedMeanwhile(Exception):
    """Somebody else has changed the draft since it was looked at."""


def fingerprint(lines):
    told = json.dumps(lines, ensure_ascii=False, separators=(",", ":"), sort_keys=True)  # the database keeps no order
    return hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()


class FieldMappingQuerySet(models.QuerySet):
    def administered_by(self, user):
        return self.filter(business__in=Business.objects.administered_by(user))

    def open(self):
        return self.filter(state__in=FieldMapping.OPEN)


class FieldMapping(models.Model):
    """One version of how a business's ERP fields become contact fields. `lines` as `mapping.lines` tells them.

    A version can become active only after a dry run of exactly these lines; the database says so too. One version of
    a business is active, and one is open to be changed.
    """

    class State(models.TextChoices):
        DRAFT = "draft", gettext_lazy("Draft")
        PREVIEWED = "previewed", gettext_lazy("Tried out")
        ACTIVE = "active", gettext_lazy("Active")
        RETIRED = "retired", gettext_lazy("Retired")

    OPEN = (State.DRAFT, State.PREVIEWED)

    business = models.ForeignKey(Business, models.CASCADE, related_name="field_mappings")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.DRAFT)
    lines = models.JSONField(default=list)
    lines_before = models.JSONField(null=True, blank=True)  # what one Undo brings back
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    made_from = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="+")
    previewed = models.CharField(max_length=64, blank=True)  # the fingerprint of the lines that were tried out
    previewed_at = models.DateTimeField(null=True, blank=True)
    previewed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    activated_at = models.DateTimeField(null=True, blank=True)
    activated_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    retired_at = models.DateTimeField(null=True, blank=True)

    objects = FieldMappingQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["business", "number"], name="field_mapping_once"),
            models.UniqueConstraint(fields=["business"], condition=Q(state="active"), name="field_mapping_one_active"),
            models.UniqueConstraint(
                fields=["business"], condition=Q(state__in=["draft", "previewed"]), name="field_mapping_one_open"
            ),
            models.CheckConstraint(
                name="field_mapping_tried_before_active",
                condition=~Q(state__in=["previewed", "active"]) | Q(previewed_at__isnull=False),
            ),
        ]

    def __str__(self):
        return f"mapping {self.number} of business {self.business_id}"

    @classmethod
    def active_of(cls, business_id):
        """The version that holds, or None: then fields go by their names."""
        return cls.objects.filter(business=business_id, state=cls.State.ACTIVE).first()

    @classmethod
    def begin(cls, business, lines, by, made_from=None):
        """A new draft. One that was open is put away, not lost."""
        with _alone(business.pk):
            opened = cls.objects.filter(business=business).open()
            opened.update(state=cls.State.RETIRED, retired_at=timezone.now(), lines_before=None)
            last = cls.objects.filter(business=business).aggregate(last=Max("number"))["last"] or 0
            return cls.objects.create(
                business=business, number=last + 1, lines=lines, made_by=by, made_from=made_from,
            )  # fmt: skip

    @property
    def is_open(self):
        return self.state in self.OPEN

    @property
    def is_active(self):
        return self.state == self.State.ACTIVE

    @property
    def may_come_back(self):
        """It was tried out once and is not in use: one click brings it back."""
        return self.state == self.State.RETIRED and self.previewed == self.mark

    @property
    def mark(self):
        """What the lines are now: whoever changes them says which they have seen."""
        return fingerprint(self.lines)

    def rewrite(self, lines, seen):
        """Other lines, for whoever has `seen` the present ones; it has to be tried out again. Else ChangedMeanwhile."""
        with transaction.atomic():
            now = FieldMapping.objects.select_for_update().filter(pk=self.pk).open().first()
            if now is None or now.mark != seen:
                raise ChangedMeanwhile
            if fingerprint(lines) == now.mark:
                return
            self._write(state=self.State.DRAFT, lines=lines, lines_before=now.lines)

    def undo(self):
        """The lines as they stood before the last change. False when there is nothing to take back."""
        with transaction.atomic():
            now = FieldMapping.objects.select_for_update().filter(pk=self.pk).open().first()
            if now is None or now.lines_before is None:
                return False
            self._write(state=self.State.DRAFT, lines=now.lines_before, lines_before=None)
            return True

    def tried(self, by, mark):
        """A dry run of the lines with this mark was shown. False when they are others by now."""
        with transaction.atomic():
            now = FieldMapping.objects.select_for_update().filter(pk=self.pk).open().first()
            if now is None or now.mark != mark:
                return False
            seen = {"previewed": mark, "previewed_at": timezone.now(), "previewed_by": by}
            self._write(state=self.State.PREVIEWED, lines=now.lines, **seen)
            return True

    def activate(self, by):
        """From now on this version holds, and the one before is retired. NotReady says why not."""
        with _alone(self.business_id):
            self.refresh_from_db(from_queryset=FieldMapping.objects.select_for_update())
            if self.state == self.State.DRAFT:
                raise NotReady(_("Try this version out first: a dry run has to show what it would do."))
            if self.is_open and self.previewed != self.mark:
                raise NotReady(_("It was changed after the dry run. Try it out again."))
            if self.state == self.State.RETIRED and not self.may_come_back:
                raise NotReady(_("This version was never tried out. Make a draft of it instead."))
            now = timezone.now()
            others = FieldMapping.objects.filter(business=self.business_id, state=self.State.ACTIVE)
            others.exclude(pk=self.pk).update(state=self.State.RETIRED, retired_at=now)
            if not self.is_active:
                self._write(
                    state=self.State.ACTIVE, activated_at=now, activated_by=by, retired_at=None, lines_before=None
                )

    def retire(self):
        """An open version is put away; after the active one, fields go by their names again."""
        with _alone(self.business_id):
            self._write(state=self.State.RETIRED, retired_at=timezone.now(), lines_before=None)

    def _write(self, **values):
        for name, value in values.items():
            setattr(self, name, value)
        self.save(update_fields=values)


@contextmanager
def _alone(business_id):
    """Two admins of one business must not both number, open or activate a version at the same moment."""
    with transaction.atomic():
        Business.objects.select_for_update(no_key=True).get(pk=business_id)
        yield
