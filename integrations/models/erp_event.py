import uuid
from contextlib import contextmanager
from datetime import timedelta

from django.conf import settings
from django.db import connection as database
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contacts.models import Business, Change, Contact, HistoryEvent, Role
from contacts.models.leased import Leased, LeasedQuerySet
from integrations.models.api_key import ApiKey

_LOCK = 7_303  # any number of our own
DECIDERS = (Role.MANAGER, Role.ADMIN)


class ErpEventQuerySet(LeasedQuerySet):
    def of_business(self, business):
        return self.filter(business=business)

    def about(self, one):
        """All that was told about the customer `one` is about: an ErpEvent, or a Stranger."""
        return self.filter(business_id=one.business_id, system=one.system, reference=one.reference)

    def waiting(self):
        """Matched with nobody yet."""
        return self.filter(outcome=ErpEvent.Outcome.UNMATCHED)

    def claim_next(self, one):
        """The next unfinished one about this customer, in the order things happened, for exactly one caller.

        None while anybody is at work for the customer, or while the next has to wait: nothing overtakes it.
        """
        with hold(one):
            unfinished = self.about(one).filter(finished_at=None)
            if unfinished.filter(lease_until__gt=timezone.now()).exists():
                return None
            first = unfinished.order_by("occurred_at", "version", "pk").values_list("pk", flat=True).first()
            return self.claim(first) if first else None


@contextmanager
def hold(one):
    """A transaction in which nobody else claims, matches or resolves anything of this customer."""
    with transaction.atomic(), database.cursor() as cursor:
        what = f"{one.business_id}|{one.system}|{one.reference}"
        cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [_LOCK, what])
        yield


class ErpEvent(Leased):
    """Something a business's ERP told us, stored before it was answered.

    `system` and `reference` name the customer it is about, as the ERP does; where it told only an e-mail address or a
    phone number, that is the reference and the system is "@email" or "@phone". `record` is what `version` counts, an
    invoice or a task, else the customer. `body` is what was sent, once it was found to be in order.
    """

    class Kind(models.TextChoices):
        EVENT = "event", _("Event")
        CUSTOMER = "customer", _("Customer")
        TASK = "task", _("Task")
        NOTE = "note", _("Note")

    class Outcome(models.TextChoices):
        HANDLED = "handled", _("Handled")
        SUPERSEDED = "superseded", _("Superseded by a newer version")
        UNMATCHED = "unmatched", _("Waits for somebody to say whom it is about")
        FAILED = "failed", _("Could not be applied")

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    business = models.ForeignKey(Business, models.CASCADE, related_name="erp_events")
    key = models.ForeignKey(ApiKey, models.SET_NULL, null=True, related_name="events")
    idempotency_key = models.CharField(max_length=200)
    body_hash = models.CharField(max_length=64)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    type = models.CharField(max_length=100)
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField(default=timezone.now)
    system = models.CharField(max_length=40)
    reference = models.CharField(max_length=300)
    record = models.CharField(max_length=200, blank=True)
    version = models.BigIntegerField(null=True, blank=True)
    body = models.JSONField(default=dict)
    outcome = models.CharField(max_length=12, choices=Outcome.choices, blank=True)
    reason = models.TextField(blank=True)
    contact = models.ForeignKey(Contact, models.SET_NULL, null=True, blank=True, related_name="erp_events")
    line = models.ForeignKey(HistoryEvent, models.SET_NULL, null=True, blank=True, related_name="+")
    change = models.ForeignKey(Change, models.SET_NULL, null=True, blank=True, related_name="+")

    objects = ErpEventQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["business", "idempotency_key"], name="erp_event_once"),
        ]
        indexes = [
            models.Index(fields=["next_at"], condition=Q(finished_at=None), name="erp_event_due"),
            models.Index(
                fields=["business", "system", "reference", "occurred_at"],
                condition=Q(finished_at=None),
                name="erp_event_next",
            ),
            models.Index(
                fields=["business", "system", "reference", "id"],
                condition=Q(outcome="unmatched"),
                name="erp_event_waiting",
            ),
            models.Index(
                fields=["business", "system", "reference", "kind", "type", "record", "-version"],
                condition=Q(outcome="handled", version__isnull=False),
                name="erp_event_version",
            ),
            models.Index(fields=["business", "-id"], condition=Q(outcome="failed"), name="erp_event_failed"),
            models.Index(fields=["finished_at"], name="erp_event_age"),
            # The last ones that may tell of fields, for whoever maps these.
            models.Index(
                fields=["business", "-id"], condition=Q(kind__in=["customer", "event"]), name="erp_event_telling"
            ),
        ]

    def __str__(self):
        return f"{self.kind} {self.uid}"

    @property
    def newest_version(self):
        """The highest version of the same thing that was handled, or None."""
        same = ErpEvent.objects.about(self).filter(kind=self.kind, type=self.type, record=self.record)
        handled = same.filter(outcome=self.Outcome.HANDLED, version__isnull=False)
        return handled.order_by("-version").values_list("version", flat=True).first()

    def finish(self, outcome, reason="", **values):
        """True unless somebody else has taken over."""
        return self.release(finished_at=timezone.now(), outcome=outcome, reason=reason, **values)


def settled_long_ago(days):
    """What may be forgotten: finished so long ago, and nobody waits for it."""
    before = timezone.now() - timedelta(days=days)
    return ErpEvent.objects.filter(finished_at__lt=before).exclude(outcome=ErpEvent.Outcome.UNMATCHED)


class StrangerQuerySet(models.QuerySet):
    def decided_by(self, user):
        """Those whose managers and admins this user is among."""
        return self.filter(business__memberships__user=user, business__memberships__role__in=DECIDERS)

    def open(self):
        return self.filter(ignored_at=None)

    def for_machines(self):
        """Those of whom no person has said anything."""
        return self.open().filter(is_by_hand=False)


class Stranger(models.Model):
    """A customer of the ERP whose events wait, for none or several of our contacts may be meant. Gone once it is known.

    What the ERP told of them stands here as it was told last; `reason` says why nobody was found. `is_by_hand`: a
    person took a link of theirs away, so no machine links them again.
    """

    business = models.ForeignKey(Business, models.CASCADE, related_name="strangers")
    system = models.CharField(max_length=40)
    reference = models.CharField(max_length=300)
    name = models.CharField(max_length=300, blank=True)
    email = models.CharField(max_length=254, blank=True)
    phone = models.CharField(max_length=60, blank=True)
    company = models.CharField(max_length=300, blank=True)
    reason = models.TextField(blank=True)
    since = models.DateTimeField(default=timezone.now)
    ignored_at = models.DateTimeField(null=True, blank=True)
    ignored_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    ignored_because = models.CharField(max_length=300, blank=True)
    is_by_hand = models.BooleanField(default=False)

    objects = StrangerQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["business", "system", "reference"], name="stranger_once")]
        indexes = [models.Index(fields=["business", "since", "id"], name="stranger_by_time")]

    def __str__(self):
        return f"stranger {self.pk}"

    @property
    def title(self):
        """What to call them: never empty."""
        return self.name or self.company or self.reference

    @property
    def has_reference(self):
        """The ERP has told its own name for them, not only how to reach them."""
        return not self.system.startswith("@")


class Matching(models.Model):
    """How a business's ERP customers are recognised when no link is stored yet: the first of `order` that finds
    anybody decides. `field` is the key of the custom field that holds the ERP's reference."""

    class By(models.TextChoices):
        EMAIL = "email", _("E-mail address")
        PHONE = "phone", _("Phone number")
        FIELD = "field", _("Custom field")

    business = models.OneToOneField(Business, models.CASCADE, related_name="matching")
    order = models.JSONField(default=list)
    field = models.CharField(max_length=200, blank=True)

    def __str__(self):
        return f"matching of business {self.business_id}"

    @classmethod
    def of(cls, business):
        return cls.objects.filter(business=business).first() or cls(business=business, order=["email", "phone"])
