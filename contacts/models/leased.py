"""A row that one worker at a time works on.

A claim is a lease with a fence: `fence` rises with every claim, and whoever writes a result names the fence of their
claim. A worker that went silent loses the lease, and its late result finds another fence and is turned away.
"""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, connection, models
from django.db.models import F, Q
from django.utils import timezone

log = logging.getLogger(__name__)

MOST_STRIKES = 8  # claims in a row that ended in a way nobody foresaw, the worker's death included
STRUCK_WAIT = timedelta(seconds=30)


class LeaseLost(Exception):
    """Another worker has taken this row over; what we were about to write is not wanted any more."""


class LeasedQuerySet(models.QuerySet):
    def due(self):
        now = timezone.now()
        return self.filter(next_at__lte=now, finished_at=None).filter(Q(lease_until=None) | Q(lease_until__lt=now))

    def claim(self, pk):
        """The row for exactly one caller, else None. The claim counts as a strike until it ends in order."""
        until = timezone.now() + timedelta(seconds=settings.WORK_LEASE_S)
        counted = {"fence": F("fence") + 1, "attempts": F("attempts") + 1, "strikes": F("strikes") + 1}
        won = self.due().filter(pk=pk).update(lease_until=until, **counted)
        return self.get(pk=pk) if won else None


class Leased(models.Model):
    """`attempts` counts claims, `strikes` those in a row of which no end was heard or nobody had foreseen the end."""

    lease_until = models.DateTimeField(null=True, blank=True)
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveIntegerField(default=0)
    strikes = models.PositiveIntegerField(default=0)
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

    def keep(self, **values):
        """Write to the row while the claim is ours, else LeaseLost: a transaction around it falls with it."""
        if not self.mine().update(**values or {"fence": F("fence")}):
            raise LeaseLost
        for name, value in values.items():
            setattr(self, name, value)

    def release(self, **values):
        """Write the last word of this claim. True unless somebody else has taken over."""
        return self.mine().update(lease_until=None, strikes=0, **values) == 1

    def hand_in(self, **values):
        """`release`, or LeaseLost where somebody else has taken over."""
        if not self.release(**values):
            raise LeaseLost

    def hand_back(self):
        """Give the claim up unfinished and at once due again. Whatever the claim still writes is turned away.

        The strike stands: a time limit ends a process in the same way as a restart does.
        """
        unheld = {"lease_until": None, "fence": F("fence") + 1}
        try:
            self.mine().update(**unheld)
        except DatabaseError:  # we were stopped in the middle of a query: its connection is of no more use
            connection.close()
            self.mine().update(**unheld)

    def work(self, act, give_up):
        """What `act()` answers, for a row just claimed. What nobody foresaw puts the row off, and at last gives it up.

        `give_up()` must finish the row. It is called without trying when earlier claims were never heard of again:
        work that kills its worker would only kill the next one.
        """
        if self.strikes > MOST_STRIKES:
            log.error("%s %s: given up, its workers were not heard of again", type(self).__name__, self.pk)
            return give_up()
        try:
            return act()
        except LeaseLost:
            log.warning("%s %s: lease lost", type(self).__name__, self.pk)
        except Exception:
            log.exception("%s %s: failed in a way nobody foresaw (%s)", type(self).__name__, self.pk, self.strikes)
            if self.strikes >= MOST_STRIKES:
                return give_up()
            self.mine().update(lease_until=None, next_at=timezone.now() + STRUCK_WAIT)
        except BaseException:  # this process is told to end
            self.hand_back()
            raise
        return None
