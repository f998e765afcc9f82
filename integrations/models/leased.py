"""A row that one worker at a time works on.

A claim is a lease with a fence: `fence` rises with every claim, and whoever writes a result names the fence of their
claim. A worker that went silent loses the lease, and its late result finds another fence and is turned away.
"""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone


class LeasedQuerySet(models.QuerySet):
    def due(self):
        now = timezone.now()
        return self.filter(next_at__lte=now, finished_at=None).filter(Q(lease_until=None) | Q(lease_until__lt=now))

    def claim(self, pk):
        """The row for exactly one caller, else None."""
        until = timezone.now() + timedelta(seconds=settings.WORK_LEASE_S)
        won = self.due().filter(pk=pk).update(lease_until=until, fence=F("fence") + 1, attempts=F("attempts") + 1)
        return self.get(pk=pk) if won else None


MOST_TRIES = 8  # of work that fails in a way nobody foresaw; a worker that dies of it has counted its try already


class Leased(models.Model):
    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = LeasedQuerySet.as_manager()

    class Meta:
        abstract = True

    def mine(self):
        """This row, only while the claim still holds. Lock or update through it to be fenced."""
        return type(self).objects.filter(pk=self.pk, fence=self.fence)

    def renew(self):
        """True while the lease is ours; it starts anew."""
        until = timezone.now() + timedelta(seconds=settings.WORK_LEASE_S)
        return self.mine().update(lease_until=until) == 1

    @property
    def is_poison(self):
        """Tried often enough: whatever is wrong with it, trying again does not help."""
        return self.attempts >= MOST_TRIES

    def release(self, **values):
        """Write the last word of this claim. True unless somebody else has taken over."""
        return self.mine().update(lease_until=None, **values) == 1
