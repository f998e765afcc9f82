from django.db import models
from django.db.models import Q
from django.utils import timezone

from contacts.models import Change, Location
from contacts.models.leased import Leased


class Delivery(Leased):
    """Edits to one record on their way to GHL, one request at a time.

    One unfinished Delivery per record keeps its edits in order. `sent_at` is committed before the request leaves, so
    that after a crash it is known that GHL may have it. `doubt_since` is when we began to ask whether GHL has what was
    sent: reads may show what was there some seconds ago, so one look proves nothing.
    """

    location = models.ForeignKey(Location, models.CASCADE, related_name="deliveries")
    kind = models.CharField(max_length=12, choices=Change.Kind.choices)
    record_id = models.BigIntegerField()
    changes = models.ManyToManyField(Change, related_name="deliveries")
    in_bulk = models.BooleanField(default=False)  # nobody waits for this one: it lets the edits of people pass
    sent_at = models.DateTimeField(null=True, blank=True)
    doubt_since = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "record_id"], condition=Q(finished_at=None), name="delivery_one_per_record"
            )
        ]
        indexes = [models.Index(fields=["next_at"], condition=Q(finished_at=None), name="delivery_due")]

    def __str__(self):
        return f"delivery of {self.kind} {self.record_id}"
