import hashlib
from datetime import timedelta

from django.conf import settings
from django.db import connection as database
from django.db import models, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contacts.models.leased import Leased, LeasedQuerySet

_LOCK = 7_302  # any number of our own


class InboundEventQuerySet(LeasedQuerySet):
    def claim_together(self, what, busy=None, most=10_000):
        """The due rows of this set, oldest first, for exactly one caller; none while anybody holds any of `busy`.

        `what` names the set: callers who name the same one go one after another. `busy` is the set itself unless
        another is given.
        """
        now = timezone.now()
        with transaction.atomic():
            with database.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", [_LOCK, what])
            if (self if busy is None else busy).filter(finished_at=None, lease_until__gt=now).exists():
                return []
            due = list(self.due().order_by("pk").values_list("pk", flat=True)[:most])
            counted = {"fence": F("fence") + 1, "attempts": F("attempts") + 1, "strikes": F("strikes") + 1}
            until = now + timedelta(seconds=settings.WORK_LEASE_S)
            InboundEvent.objects.due().filter(pk__in=due).update(lease_until=until, **counted)
        # Bodies may be large, and hardly anybody reads them.
        return list(InboundEvent.objects.filter(pk__in=due, lease_until=until).order_by("pk").defer("body"))

    def renew_together(self, events):
        """True while all of them are still held by this claim; their leases start anew."""
        until = timezone.now() + timedelta(seconds=settings.WORK_LEASE_S)
        held = sum(
            self.filter(pk__in=pks, fence=fence).update(lease_until=until) for fence, pks in _by_fence(events).items()
        )
        return held == len(events)

    def release_together(self, events, **values):
        """The last word about many rows of one claim; rows that somebody has taken over since are left alone."""
        for fence, pks in _by_fence(events).items():
            self.filter(pk__in=pks, fence=fence, finished_at=None).update(lease_until=None, strikes=0, **values)


def _by_fence(events):
    pks: dict[int, list[int]] = {}
    for event in events:
        pks.setdefault(event.fence, []).append(event.pk)
    return pks


class InboundEvent(Leased):
    """A webhook that was verified and stored before it was answered. What it says is only a hint where to look.

    `event_id` is the sender's id of the event, or a hash of the body: a repeated delivery finds its row here already.
    """

    class Outcome(models.TextChoices):
        HANDLED = "handled", _("Handled")
        KEPT = "kept", _("Kept, of a kind we do not use")
        NOT_OURS = "not_ours", _("For a location that is not connected here")
        FAILED = "failed", _("Failed")

    event_id = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=60)
    remote_location_id = models.CharField(max_length=64, blank=True)
    record_id = models.CharField(max_length=64, blank=True)  # GHL's id of what it is about
    remote_contact_id = models.CharField(max_length=64, blank=True)  # and of the contact that belongs to
    told_at = models.DateTimeField(null=True, blank=True)  # when GHL says it was sent, by GHL's clock
    body = models.BinaryField()
    received_at = models.DateTimeField(default=timezone.now)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True)
    reason = models.TextField(blank=True)

    objects = InboundEventQuerySet.as_manager()  # type: ignore[misc]

    class Meta:
        indexes = [
            models.Index(fields=["next_at"], condition=models.Q(finished_at=None), name="inbound_due"),
            models.Index(
                fields=["remote_location_id", "remote_contact_id"],
                condition=models.Q(finished_at=None),
                name="inbound_of_contact",
            ),
            models.Index(fields=["remote_location_id", "-received_at"], name="inbound_of_location"),
            models.Index(fields=["remote_location_id", "record_id", "-received_at"], name="inbound_of_record"),
        ]

    def __str__(self):
        return f"{self.kind} {self.event_id}"


class QuarantinedEvent(models.Model):
    """A webhook whose signature no key of ours fits. Kept for a while, in case GHL has changed its key without notice.

    Nothing of it is believed or shown. Strangers can fill this table, so its size is bounded by whoever writes it.
    `looks_ours`: it names our app or one of our locations, which is no secret. `keys_tried` stands for the keys that
    did not fit.
    """

    body_hash = models.CharField(max_length=64, unique=True)
    body = models.BinaryField()
    signature = models.CharField(max_length=400)
    looks_ours = models.BooleanField(default=False)
    keys_tried = models.CharField(max_length=64, blank=True)
    received_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self):
        return f"unverified webhook of {self.received_at:%Y-%m-%d %H:%M}"

    @staticmethod
    def hash_of(body):
        return hashlib.sha256(body).hexdigest()
