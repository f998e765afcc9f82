from datetime import timedelta

from django.db import connection as database
from django.db import models, transaction
from django.db.models import Max
from django.utils import timezone

LATE = timedelta(seconds=10)
AT_ONCE = 2000


class Feed(models.Model):
    """How far somebody has read a table that only grows, so that every row is read though rows become visible late.

    A row's number is given when it is written, and it is seen when its transaction ends: a lower number can appear
    after a higher one. All up to `seen` was looked at; nothing up to `sure` can still appear. Between the two is looked
    at once more, when all transactions that were open at `open_until` have ended. So whoever reads must not mind to
    be given a row twice.
    """

    name = models.CharField(max_length=60, unique=True)
    sure = models.BigIntegerField(default=0)
    seen = models.BigIntegerField(default=0)
    mark = models.BigIntegerField(default=0)  # `seen` when `open_until` was read
    open_until = models.BigIntegerField(default=0)  # no transaction of then has this number or a higher one
    marked_at = models.DateTimeField(default=timezone.now)

    def __str__(self):
        return f"{self.name}: {self.seen}"

    @classmethod
    def read(cls, name, rows, take, at_once=AT_ONCE):
        """Give `take` the primary keys of `rows` (a queryset) that are new; True when more are waiting.

        A feed begins with what comes after its first reading. One reader at a time: another finds nothing to do. What
        `take` writes stands or falls with the place reached.
        """
        with transaction.atomic():
            if not cls.objects.filter(name=name).exists():
                cls.objects.get_or_create(name=name, defaults=cls._beginning(rows))
            feed = cls.objects.select_for_update(skip_locked=True).filter(name=name).first()
            return feed._go_on(rows, take, at_once) if feed else False

    @classmethod
    def _beginning(cls, rows):
        last = rows.model.objects.aggregate(last=Max("pk"))["last"] or 0
        return {"sure": last, "seen": last, "mark": last, "open_until": _transactions()[1]}

    def _go_on(self, rows, take, at_once):
        oldest_open = _transactions()[0]
        late = self.marked_at < timezone.now() - LATE and self.open_until <= oldest_open
        pks = list(rows.filter(pk__gt=self.sure, pk__lte=self.mark).values_list("pk", flat=True)) if late else []
        ordered = rows.model.objects.filter(pk__gt=self.seen).order_by("pk")
        last = ordered.values_list("pk", flat=True)[at_once - 1 : at_once].first()
        is_more = last is not None
        last = last or ordered.aggregate(last=Max("pk"))["last"] or self.seen
        pks += rows.filter(pk__gt=self.seen, pk__lte=last).values_list("pk", flat=True)
        if pks:
            take(sorted(pks))
        self._move(last, is_sure=late and self.sure < last)
        return is_more

    def _move(self, last, is_sure):
        if is_sure:
            self.sure, self.mark, self.marked_at, self.open_until = self.mark, last, timezone.now(), _transactions()[1]
        if is_sure or last > self.seen:
            self.seen = last
            self.save()


def _transactions():
    """(number of the oldest open transaction, first number not given yet)."""
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT pg_snapshot_xmin(s)::text::bigint, pg_snapshot_xmax(s)::text::bigint FROM pg_current_snapshot() s"
        )
        return cursor.fetchone()
