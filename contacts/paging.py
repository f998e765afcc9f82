"""Pages found by where the last one ended: as fast on page 200 as on the first, and nothing is shown twice."""

import base64
import binascii
import json
import math
from collections.abc import Iterable
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import datetime

from django.contrib.postgres.expressions import ArraySubquery
from django.db import OperationalError, connection, transaction
from django.db.models import (
    BigIntegerField,
    BooleanField,
    Case,
    Exists,
    Expression,
    F,
    Func,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    TextField,
    Value,
    When,
)
from django.db.models.expressions import NegatedExpression
from django.db.models.functions import Coalesce, Concat, Greatest
from django.db.models.lookups import Exact, GreaterThan, GreaterThanOrEqual, LessThan, LessThanOrEqual
from django.db.models.sql.where import WhereNode
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from psycopg.errors import QueryCanceled

COUNT_LIMIT = 10_000
COUNT_WITHIN_MS = 20
MANY = math.inf  # more than could be counted in time
NEAR = 2_000  # rows looked at in their order before a filter is asked what it finds
FAR = 16_000  # and so many more where that promises a full page


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

    def not_beyond(self, value, pk):
        past = GreaterThanOrEqual if self.descending else LessThanOrEqual
        here = Func(F(self.key), F("pk"), function="ROW", output_field=TextField())
        return past(here, Func(Value(value), Value(pk), function="ROW", output_field=TextField()))

    def keys(self, rows, place, size, now, among=None):
        """The next (value, pk) of the rows, at most `size` of them."""
        if among is None or (among.is_all and len(among.parts) == 1):
            return self._next(rows, place, size, now)
        found, here = [], place
        for ahead in (size,) if among.is_all else (NEAR, FAR):
            bound = self._bound(among, here, ahead, now)
            if bound is None:
                return found + self._next(rows, here, size - len(found), now)
            found += self._near(rows, here, size - len(found), now, bound, among)
            if len(found) == size:
                return found
            if len(found) * FAR < size * NEAR * 1.5:
                break
            here = bound
        # So few were chosen: better find them all and sort them than look for them in order.
        sign = "-" if self.descending else ""
        rows = self._from(rows, place, now).annotate(unindexed=Greatest(self.key, self.key))
        return list(rows.order_by(f"{sign}unindexed", f"{sign}pk").values_list(self.key, "pk")[:size])

    def _from(self, rows, place, now):
        rows = self.sort(rows, now)
        return rows.filter(self.beyond(*place)) if place else rows

    def _next(self, rows, place, size, now):
        return list(self._from(rows, place, now).values_list(self.key, "pk")[:size])

    def _near(self, rows, place, size, now, bound, among):
        near = self._from(among.rows, place, now).filter(self.not_beyond(*bound))
        if not among.is_all:
            near = near.filter(_RowByRow(rows, among.rows))
        return list(near.values_list(self.key, "pk")[:size])

    def _bound(self, among, place, ahead, now):
        """The place up to which to look at so many rows of a part one by one; None when all end before it."""
        ends = [self._from(part, place, now).values_list(self.key, "pk")[ahead - 1 : ahead] for part in among.parts]
        ends = list(ends[0].union(*ends[1:], all=True)) if len(ends) > 1 else [end for one in ends for end in one]
        return (max if self.descending else min)(ends, default=None)

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
class Among:
    """What rows were chosen from, and parts of it that each have an index in the order. `is_all`: all was chosen."""

    rows: QuerySet
    parts: list
    is_all: bool = False
    locations: Iterable = ()  # those the parts belong to, by number

    def where(self, condition):
        parts = [part.filter(condition) for part in self.parts]
        return replace(self, rows=self.rows.filter(condition), parts=parts)


class _RowByRow(Expression):
    """What chose the rows, asked of one row after another.

    As plain conditions, or as EXISTS, Postgres may read all that was chosen to answer for a few rows. What is known of
    the rows is left away, so that their index alone may answer.
    """

    conditional = True

    def __init__(self, rows, known):
        super().__init__(output_field=BooleanField())
        known = known.query.where.children
        self.where = _of_one_row(WhereNode([one for one in rows.query.where.children if one not in known]))

    def as_sql(self, compiler, connection):
        sql, params = compiler.compile(self.where)
        return f"CASE WHEN {sql} THEN true ELSE false END", params


def _of_one_row(node):
    """Each EXISTS as a look for one row, which Postgres neither joins nor does for all rows beforehand."""
    node = copy(node)
    if isinstance(node, Exists):
        node.template = "((%(subquery)s) IS NOT NULL)"
    elif isinstance(node, WhereNode):
        node.children = [_of_one_row(child) for child in node.children]
    elif isinstance(node, NegatedExpression):
        node.expression = _of_one_row(node.expression)
    elif isinstance(node, Exact):  # so Django writes that something is so
        node.lhs = _of_one_row(node.lhs)
    return node


class _Each(Func):
    """The elements of an array, a row for each."""

    function = "unnest"
    set_returning = True
    output_field = BigIntegerField()


@dataclass(frozen=True)
class Lanes:
    """Rows that stand in lanes, such as a location or a person, each with an index of its rows in their order.

    Of one condition over all lanes Postgres would read and sort whatever fits. So each lane is entered by itself, and
    left after as many rows as are wanted. `rows` are those of one lane, which they name by OuterRef; `within` is asked
    of those few that were found (asked within a lane, it would lead Postgres to another index).
    """

    lanes: QuerySet
    rows: QuerySet
    within: Q = field(default_factory=Q)

    @property
    def model(self):
        return self.rows.model

    def narrowed(self, *conditions):
        return replace(self, rows=self.rows.filter(*conditions))

    def keys(self, most, order=None):
        """The primary keys of so many rows of each lane: those that come first in the order, or any."""
        rows = order.sort(self.rows, None) if order else self.rows.order_by()
        own = ArraySubquery(rows.values("pk")[:most])
        return self.lanes.order_by().annotate(key_of_row=_Each(own)).values("key_of_row")

    def count(self, most):
        """How many there are, up to so many. A lane is not entered once there are enough."""
        return self.keys(most)[:most].count()

    def first(self, most, order, load):
        """So many rows of all lanes, with what `load` gives them."""
        found = self.model.objects.filter(self.within, pk__in=self.keys(most, order))
        return list(order.sort(load(found), None)[:most])


@dataclass(frozen=True)
class BestFirst(Order):
    """Rows whose `column` begins with `lead` come first, then the others, both by that column."""

    column: str = ""
    lead: str = ""

    @classmethod
    def of(cls, column, lead, words):
        is_lead = Case(When(**{f"{column}__startswith": lead}, then=Value("0")), default=Value("1"))
        return cls("place", words, annotation=lambda now: Concat(is_lead, column), column=column, lead=lead)

    def keys(self, rows, place, size, now, among=None):
        by_column, found = Order(self.column, self.words), []
        begins = Q(**{f"{self.column}__startswith": self.lead})
        for mark, which in (("0", begins), ("1", ~begins)):
            if place and place[0][:1] > mark:
                continue
            after = (place[0][1:], place[1]) if place and place[0][:1] == mark else None
            of_these = among and among.where(which)
            keys = by_column.keys(rows.filter(which), after, size - len(found), now, of_these)
            found += [(mark + value, pk) for value, pk in keys]
            if len(found) == size:
                break
        return found


@dataclass(frozen=True)
class ByFirstOf(Order):
    """Contacts by the first of some other rows of theirs, those without any last and at the time `last`.

    `rows_of(now)` are these other rows, `at` their time, which has an index beginning with their location.
    """

    rows_of: object = None
    at: str = ""
    last: datetime | None = None

    @classmethod
    def of(cls, key, words, rows_of, at, last):
        def first(now):
            own = rows_of(now).filter(contact=OuterRef("pk")).order_by(at).values(at)
            return Coalesce(Subquery(own[:1]), last)

        return cls(key, words, is_time=True, annotation=first, rows_of=rows_of, at=at, last=last)

    def keys(self, rows, place, size, now, among=None):
        if among is None:
            return super().keys(rows, place, size, now)
        found = self._with_one(rows, place, size, now, among) if place is None or place[0] < self.last else []
        if len(found) < size:
            without = rows.filter(~Exists(self.rows_of(now).filter(contact=OuterRef("pk")))).order_by("pk")
            if place and place[0] >= self.last:
                without = without.filter(pk__gt=place[1])
            found += [(self.last, pk) for pk in without.values_list("pk", flat=True)[: size - len(found)]]
        return found

    def _with_one(self, rows, place, size, now, among):
        """Along the index of the other rows, one location after another, taking each contact at its first."""
        earlier = Q(**{f"{self.at}__lt": OuterRef(self.at)}) | Q(**{self.at: OuterRef(self.at)}, pk__lt=OuterRef("pk"))
        firsts = self.rows_of(now).filter(~Exists(self.rows_of(now).filter(earlier, contact=OuterRef("contact"))))
        firsts = firsts.filter(contact__in=rows.order_by().values("pk"))
        if place:
            here = Func(F(self.at), F("contact"), function="ROW", output_field=TextField())
            there = Func(Value(place[0]), Value(place[1]), function="ROW", output_field=TextField())
            firsts = firsts.filter(GreaterThan(here, there))
        firsts = firsts.order_by(self.at, "contact_id").values_list(self.at, "contact_id")
        parts = [firsts.filter(location=location)[:size] for location in among.locations]
        if len(parts) == 1:
            return list(parts[0])
        return list(parts[0].union(*parts[1:], all=True).order_by(self.at, "contact_id")[:size]) if parts else []


@dataclass(frozen=True)
class Page:
    rows: list
    after: str = ""  # the cursor of the next page, empty at the end
    is_first: bool = True


def page_of(rows, order, after, size, now, load=None, among=None):
    """The rows behind the cursor; a cursor that is not ours starts at the top.

    With `load` the order is settled over keys alone, and `load` fetches the few rows of the page with all they show.
    With `among` it is quick however few rows were chosen, and however late they come in the order.
    """
    place = order.parse(after) if after else None
    if load is None and among is None:
        rows = order.sort(rows, now)
        found = list((rows.filter(order.beyond(*place)) if place else rows)[: size + 1])
        shown, cursors = found[:size], [order.cursor(row) for row in found[:size]]
    else:
        found = order.keys(rows, place, size + 1, now, among)
        shown, cursors = _loaded(rows.model, found[:size], load), [order.cursor_at(*key) for key in found[:size]]
    return Page(shown, cursors[-1] if len(found) > size else "", place is None)


def page_over(parts, order, after, size, load):
    """A page of several querysets together, of which no two hold the same row.

    Each part goes along its own index and stops after one page, which one condition over them all would not let it.
    """
    place = order.parse(after) if after else None
    keys = []
    for part in parts:
        part = order.sort(part, None)
        part = part.filter(order.beyond(*place)) if place else part
        keys.append(part.values_list(order.key, "pk")[: size + 1])
    if not keys:
        return Page([])
    sign = "-" if order.descending else ""
    found = keys[0].union(*keys[1:], all=True).order_by(f"{sign}{order.key}", f"{sign}pk") if keys[1:] else keys[0]
    found = list(found[: size + 1])
    shown = _loaded(keys[0].model, found[:size], load)
    return Page(shown, order.cursor_at(*found[size - 1]) if len(found) > size else "", place is None)


def page_along(lanes, order, after, size, load):
    """A page of rows that stand in lanes."""
    place = order.parse(after) if after else None
    ahead = lanes.narrowed(order.beyond(*place)) if place else lanes
    found = ahead.first(size + 1, order, load)
    return Page(found[:size], order.cursor(found[size - 1]) if len(found) > size else "", place is None)


def _loaded(model, keys, load):
    """The rows of these keys in their order, without those that vanished in between."""
    if not keys:
        return []
    by_pk = {row.pk: row for row in load(model._default_manager.filter(pk__in=[pk for _, pk in keys]))}
    return [by_pk[pk] for _, pk in keys if pk in by_pk]


def count_up_to(rows, limit=COUNT_LIMIT):
    """How many there are. It stops past the limit, and gives up as MANY after a moment: it never holds a page up."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = %s", [COUNT_WITHIN_MS])
            most = limit + 1
            count = rows.count(most) if isinstance(rows, Lanes) else rows.order_by().values("pk")[:most].count()
            cursor.execute("SET LOCAL statement_timeout = DEFAULT")
    except OperationalError as error:
        if not isinstance(error.__cause__, QueryCanceled):
            raise
        return MANY
    return count


def about(count, is_whole=False, limit=COUNT_LIMIT):
    """The count in words. Others add and remove rows meanwhile, so only a list that is seen whole is exact."""
    if count == MANY:
        return _("many")
    if count > limit:
        return f"{limit:,}+"
    return f"{count:,}" if is_whole else _("about %(count)s") % {"count": f"{count:,}"}
