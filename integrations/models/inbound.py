import hashlib

from django.db import models
from django.utils import timezone

from integrations.models.leased import Leased


class InboundEvent(Leased):
    """A webhook that was verified and stored before it was answered. What it says is only a hint where to look.

    `event_id` is the sender's id of the event, or a hash of the body: a repeated delivery finds its row here already.
    """

    class Outcome(models.TextChoices):
        HANDLED = "handled", "Handled"
        KEPT = "kept", "Kept, of a kind we do not use"
        NOT_OURS = "not_ours", "For a location that is not connected here"
        FAILED = "failed", "Failed"

    event_id = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=60)
    remote_location_id = models.CharField(max_length=64, blank=True)
    record_id = models.CharField(max_length=64, blank=True)  # GHL's id of what it is about
    body = models.BinaryField()
    received_at = models.DateTimeField(default=timezone.now)
    outcome = models.CharField(max_length=10, choices=Outcome.choices, blank=True)
    reason = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["next_at"], condition=models.Q(finished_at=None), name="inbound_due"),
            models.Index(fields=["remote_location_id", "-received_at"], name="inbound_of_location"),
            models.Index(fields=["remote_location_id", "record_id", "-received_at"], name="inbound_of_record"),
        ]

    def __str__(self):
        return f"{self.kind} {self.event_id}"


class QuarantinedEvent(models.Model):
    """A webhook whose signature no key of ours fits. Kept for a while, in case GHL has changed its key without notice.

    Nothing of it is believed or shown. Strangers can fill this table, so its size is bounded by whoever writes it.
    """

    body_hash = models.CharField(max_length=64, unique=True)
    body = models.BinaryField()
    signature = models.CharField(max_length=400)
    received_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self):
        return f"unverified webhook of {self.received_at:%Y-%m-%d %H:%M}"

    @staticmethod
    def hash_of(body):
        return hashlib.sha256(body).hexdigest()
