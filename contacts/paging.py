"""Pages found by where the last one ended: as fast on page 200 as on the first, and nothing is shown twice."""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Func, TextField, Value
from django.db.models.lookups import GreaterThan, LessThan
from django.utils.dateparse import parse_datetime

COUNT_LIMIT = 10_000


@dataclass(frozen=True)
class Order:
    """A total order: `key` (a column or an annotation, never null), then the primary key in the same direction."""

    key: str
    words: str
    descending: bool = False
    is_time: bool = False
    annotation: object = None  # a function of `now`

    def sort(self, rows, now):
        if self.annotation:
            rows = rows.annotate(**{self.key: self.annotation(now)})
        sign = "-" if self.descending else ""
        return rows.order_by(f"{sign}{self.key}", f"{sign}pk")

    def beyond(self, value, pk):
        """Compared as a pair: an index on the pair is entered at the right place, an annotation computed once."""
        past = LessThan if self.descending else GreaterThan
        here = Func(F(self.key), F("pk"), function="ROW", output_field=TextField())
        return past(here, Func(Value(value), Value(pk), function="ROW", output_field=TextField()))

    def cursor(self, row):
        return self.cursor_at(getattr(row, self.key), row.pk)

    def cursor_at(self, value, pk):
        pair = [value.isoformat() if isinstance(value, datetime) else value, pk]
        return base64.urlsafe_b64encode(json.dumps(pair).encode()).decode().rstrip("=")

    def parse(self, cursor):
        """(value, pk), or None for a cursor that is not one of ours."""
        try:
            value, pk = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
            value.encode()  # a lone surrogate would reach the database
        except (ValueError, TypeError, AttributeError, binascii.Error, RecursionError):
            return None
        if type(pk) is not int or not 0 < pk < 2**63 or "\x00" in value:
            return None
        if self.is_time:
            try:
                value = parse_datetime(value)
            except ValueError:
                return None
            if value is None or value.tzinfo is None or value.utcoffset() is None:
                return None
        return value, pk


@dataclass(frozen=True)
class Page:
    rows: list
    after: str = ""  # the cursor of the next page, empty at the end
    is_first: bool = True


def page_of(rows, order, after, size, now, load=None):
    """The rows behind the cursor; a cursor that is not ours starts at the top.

    With `load` the order is settled over keys alone, and `load` fetches the few rows of the page with all they show.
    """
    rows = order.sort(rows, now)
    place = order.parse(after) if after else None
    if place:
        rows = rows.filter(order.beyond(*place))
    if load is None:
        found = list(rows[: size + 1])
        shown, cursors = found[:size], [order.cursor(row) for row in found[:size]]
    else:
        found = list(rows.values_list(order.key, "pk")[: size + 1])
        shown, cursors = _loaded(rows.model, found[:size], load), [order.cursor_at(*key) for key in found[:size]]
    return Page(shown, cursors[-1] if len(found) > size else "", place is None)


def _loaded(model, keys, load):
    """The rows of these keys in their order, without those that vanished in between."""
    if not keys:
        return []
    by_pk = {row.pk: row for row in load(model._default_manager.filter(pk__in=[pk for _, pk in keys]))}
    return [by_pk[pk] for _, pk in keys if pk in by_pk]


def count_up_to(rows, limit=COUNT_LIMIT):
    """How many there are; it stops counting past the limit, so it never holds a page up."""
    return rows.order_by().values("pk")[: limit + 1].count()


def about(count, is_whole=False, limit=COUNT_LIMIT):
    """The count in words. Others add and remove rows meanwhile, so only a list that is seen whole is exact."""
    if count > limit:
        return f"{limit:,}+"
    return f"{count:,}" if is_whole else f"about {count:,}"
